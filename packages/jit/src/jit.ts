import { totalmem } from 'node:os'
import type { Tree } from '@attune/core'
import { type Tensor, engine } from '@tensorflow/tfjs-core'
import { type GraphBackend, graphBackend } from './backend.js'
import { type Graph, nodesOf, sizeOf } from './graph.js'
import { type Argument, type Program, program } from './program.js'
import { type PureFunction, type Recording, leavesOf, record } from './record.js'
import { registerKernels } from './register.js'
import type { SessionOptions } from './session.js'

/** How to compile. */
export interface JitOptions extends Omit<SessionOptions, 'keepsMemory'> {
  /** Positions of arguments that the caller gives up: the results are written into their memory, and they are disposed. */
  readonly donate?: readonly number[]
  /**
   * Positions of arguments whose tensors are the same at every call, such as weights that do not train. They become constants
   * of the graphs, laid out once for their products, and on a graphics card they stay there; where they are large for the memory
   * of the machine they are read where they lie instead, which all graphs share. Other tensors there make the graphs anew.
   */
  readonly constant?: readonly number[]
  /** Graphs kept for shapes seen before; the one not used for longest is released first. 16 if left out. */
  readonly maximumGraphs?: number
}

/** A compiled function. */
export type Jitted<F> = F & {
  /** Releases the graphs. Results stay. */
  dispose(): void
  /** The graphs compiled so far, by the shapes they are for. */
  readonly graphs: ReadonlyMap<string, Program>
}

const keyOf = (arguments_: readonly Leaf[]): string =>
  arguments_.map(([path, { dtype, shape }]) => `${path}:${dtype}[${shape.join()}]`).join(' ')

/** A leaf of the arguments, with its path. */
type Leaf = readonly [path: string, tensor: Tensor]

/** A program, the form of its results, how many numbers it computes on the way, and which leaves it has as constants. */
interface Ready extends Program, Pick<Recording, 'rebuild'> {
  readonly numbers: number
  holds(leaf: Leaf): boolean
}

/** Tells the leaves of arguments at some positions. */
const leavesAt =
  (positions: readonly number[]) =>
  ([path]: Leaf): boolean =>
    positions.includes(Number(path.split('/', 1)[0]))

/** The memory of the machine in bytes, or what of it this process may take. */
const memoryHere = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity)

/**
 * Whether more than half of the machine's memory is free. Graphs for several shapes are run in turn, and each holds the memory
 * of its last run for the next, which was measured to be 8 to 17 % faster; where memory is short, only the largest does.
 */
const hasRoom = (): boolean => process.availableMemory() > memoryHere() / 2

/** What a constant takes, measured: twice its size where it is multiplied in both directions, and once more while it is laid out. */
const LAYOUTS = 3

/**
 * Whether constants, which each graph lays out anew, would take less than 1/32 of the memory. Products with them were measured to be
 * 1 to 7 % faster, and differ in their last bits: what is free now must not decide, or a run that goes on later would differ.
 */
const isLittle = (constants: readonly Leaf[]): boolean =>
  LAYOUTS * constants.reduce((bytes, [, { size }]) => bytes + 4 * size, 0) < memoryHere() / 32

const numbersIn = ({ outputs }: Graph): number =>
  nodesOf(outputs).reduce((sum, node) => node.outputs.reduce((total, { shape }) => total + sizeOf(shape), sum), 0)

/** The programs of one function, by the shapes of its arguments. */
type Programs = Map<string, Ready>

/** The program for arguments of these shapes, made if there is none; the one used least lately makes room for it. */
function programFor(programs: Programs, key: string, maximum: number, make: () => Ready): Ready {
  const found = programs.get(key) ?? make()
  programs.delete(key)
  programs.set(key, found) // last, as the one used most lately
  for (const [oldest, each] of programs)
    if (programs.size > maximum) {
      each.dispose()
      programs.delete(oldest)
    }
  return found
}

/** The numbers of arguments. Those of one that is given up may be written over if nothing else refers to them. */
function argumentsOf(
  given: readonly Tensor[],
  donated: readonly boolean[],
  backend: GraphBackend,
): readonly Argument[] {
  const uses = new Map<object, number>()
  for (const { dataId } of given) uses.set(dataId, (uses.get(dataId) ?? 0) + 1)
  return given.map((tensor, i) => {
    const held = backend.held(tensor.dataId)
    const owned = donated[i]! && held !== undefined && backend.isSole(tensor.dataId) && uses.get(tensor.dataId) === 1
    return { values: held ?? (tensor.dataSync() as Float32Array), owned }
  })
}

/** Runs a program: the tensors of its outputs, one for each different output, and for those that are arguments, these. */
function tensorsOf(
  ready: Program,
  given: readonly Tensor[],
  donated: readonly boolean[],
  backend: GraphBackend,
): Tensor[] {
  const results = ready.run(argumentsOf(given, donated, backend))
  const made = new Map(ready.inputs.map((value, i) => [value, given[i]!]))
  return ready.outputs.map((output, i) => {
    const { shape, dtype } = output
    const tensor =
      made.get(output) ?? engine().makeTensorFromTensorInfo(backend.hold(results[i]!, shape, dtype), backend)
    made.set(output, tensor)
    return tensor
  })
}

/**
 * Compiles a pure function of TF.js tensors, gradients and all, to a native program. At the first call with tensors of
 * certain shapes and types the function runs once on stand-ins, what it does becomes an ONNX graph, and ONNX Runtime runs
 * that, then and from then on. Arguments and results are tensors, or records of them, nested at will.
 *
 * The function must be pure: numbers other than those of its arguments are those of the first call for ever, so what draws
 * random ones without a seed is refused. It must not look at the numbers of tensors.
 *
 * @throws AttuneError `UNKNOWN_KERNEL`, `READS_TENSOR`, `UNSUPPORTED_TYPE`, `ESCAPED_TENSOR`, `FROZEN_RANDOMNESS`, at the first
 * call.
 */
export function jit<F extends PureFunction>(fn: F, options: JitOptions = {}): Jitted<F> {
  const { donate = [], constant = [], maximumGraphs = 16, providers = ['cpu'] } = options
  const backend = graphBackend()
  registerKernels(backend)
  const programs: Programs = new Map()
  let pinned: readonly object[] = []

  const dispose = (): void => {
    for (const each of programs.values()) each.dispose()
    programs.clear()
  }

  /** Graphs that have other tensors as constants than those of this call are of no use. */
  const pin = (leaves: readonly Leaf[]): void => {
    const now = leaves.filter(leavesAt(constant)).map(([, { dataId }]) => dataId)
    if (now.length !== pinned.length || now.some((dataId, i) => dataId !== pinned[i])) dispose()
    pinned = now
  }

  const make = (trees: readonly Tree[], leaves: readonly Leaf[]): Ready => {
    const roomy = hasRoom()
    // What is no constant crosses over to a graphics card at each call.
    const isHeld = providers[0] !== 'cpu' || isLittle(leaves.filter(leavesAt(constant)))
    const holds = isHeld ? leavesAt(constant) : () => false
    const recorded = record(fn, trees, backend, holds)
    const numbers = numbersIn(recorded)
    const keepsMemory = roomy || [...programs.values()].every((other) => other.numbers < numbers)
    const donated = leaves.filter((leaf) => !holds(leaf)).map(leavesAt(donate))
    return { ...program(recorded, donated, { ...options, keepsMemory }), rebuild: recorded.rebuild, numbers, holds }
  }

  const run = (...trees: Tree[]): Tree => {
    const leaves = leavesOf(trees)
    pin(leaves)
    const ready = programFor(programs, keyOf(leaves), maximumGraphs, () => make(trees, leaves))
    const moving = leaves.filter((leaf) => !ready.holds(leaf))
    const given = moving.map(([, tensor]) => tensor)
    const donated = moving.map(leavesAt(donate))
    const tensors = tensorsOf(ready, given, donated, backend)
    const kept = new Set(tensors)
    for (const [i, tensor] of given.entries()) if (donated[i]! && !kept.has(tensor)) tensor.dispose()
    return ready.rebuild(tensors)
  }

  return Object.assign(run, { graphs: programs, dispose }) as unknown as Jitted<F>
}
