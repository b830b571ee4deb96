import type { Tree } from '@attune/core'
import { type Tensor, engine } from '@tensorflow/tfjs-core'
import { type GraphBackend, graphBackend } from './backend.js'
import { HostArrays } from './host-arrays.js'
import { type Argument, type Program, program } from './program.js'
import { type PureFunction, type Traced, leavesOf, traceFunction } from './trace.js'
import { registerKernels } from './register.js'
import { graphOpener, totalMemory } from './open-graph.js'
import type { SessionOptions } from './session.js'
import { SharedSessions } from './shapes/shared-sessions.js'

/** Options of {@link jit}. */
export interface JitOptions extends Omit<SessionOptions, 'keepsMemory'> {
  /** Positions of donated arguments: results are written into their memory, and they are disposed. */
  readonly donate?: readonly number[]
  /**
   * Positions of arguments whose tensors are the same in every call, such as frozen weights. They become constants of
   * the graphs, prepacked for matrix products, and stay in GPU memory on a GPU. If they are large relative to the
   * machine's memory, they are passed as inputs instead, which all graphs share. Passing other tensors there compiles
   * the graphs again.
   */
  readonly constant?: readonly number[]
  /** Number of graphs to keep for earlier shapes; the least recently used one is released first. Default: 64. */
  readonly maximumGraphs?: number
}

/** A compiled function. */
export type CompiledFunction<F> = F & {
  /** Releases the graphs. Results remain valid. */
  dispose(): void
  /** Traced graphs, by the shapes of the arguments. */
  readonly graphs: ReadonlyMap<string, Program>
  /** Number of sessions of ONNX Runtime compiled so far, and of those that are open. Graphs that differ only in shapes share one. */
  readonly sessions: { readonly compiled: number; readonly open: number }
}

/** Maximum number of open sessions, each with its own memory. */
const MAXIMUM_SESSIONS = 16

const keyOf = (arguments_: readonly Leaf[]): string =>
  arguments_.map(([path, { dtype, shape }]) => `${path}:${dtype}[${shape.join()}]`).join(' ')

/** A leaf of the arguments, with its path. */
type Leaf = readonly [path: string, tensor: Tensor]

/** A program, the structure of its results, and the leaves that it holds as constants. */
interface CompiledProgram extends Program, Pick<Traced, 'rebuild'> {
  holds(leaf: Leaf): boolean
}

/** Selects the leaves of the arguments at these positions. */
const leavesAt =
  (positions: readonly number[]) =>
  ([path]: Leaf): boolean =>
    positions.includes(Number(path.split('/', 1)[0]))

/**
 * Measured memory of a prepacked constant, in multiples of its size: 2 if it is multiplied in both directions, and 1
 * while packing.
 */
const PREPACKED_COPIES = 3

/**
 * True if constants, which each graph prepacks, would take less than 1/32 of the memory. Products with them were
 * measured to be 1 to 7 % faster and differ in their last bits. The decision must not depend on free memory, or a
 * resumed run would differ.
 */
const areSmall = (constants: readonly Leaf[]): boolean =>
  PREPACKED_COPIES * constants.reduce((bytes, [, { size }]) => bytes + 4 * size, 0) < totalMemory() / 32

/** Programs of one function, by the shapes of its arguments. */
type Programs = Map<string, CompiledProgram>

/** Returns the program for arguments of these shapes, compiled if necessary; evicts the least recently used ones. */
function programFor(
  programs: Programs,
  key: string,
  isFull: () => boolean,
  make: () => CompiledProgram,
): CompiledProgram {
  const found = programs.get(key) ?? make()
  programs.delete(key)
  programs.set(key, found) // last, as the most recently used one
  for (const [oldest, each] of programs)
    if (isFull()) {
      each.dispose()
      programs.delete(oldest)
    }
  return found
}

/** Values of the arguments. Those of a donated argument may be overwritten if nothing else refers to them. */
function argumentsOf(
  given: readonly Tensor[],
  donated: readonly boolean[],
  backend: GraphBackend,
): readonly Argument[] {
  const uses = new Map<object, number>()
  for (const { dataId } of given) uses.set(dataId, (uses.get(dataId) ?? 0) + 1)
  return given.map((tensor, i) => {
    const values = backend.take(tensor)
    const owned = donated[i]! && backend.isSole(tensor.dataId) && uses.get(tensor.dataId) === 1
    return { values, owned }
  })
}

/** Runs a program and returns one tensor per distinct output; outputs that are arguments are returned as they are. */
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
 * Compiles a pure function of TF.js tensors, gradients included, to a native program. On the first call with tensors
 * of certain shapes and dtypes the function is traced with symbolic tensors, the trace becomes an ONNX graph, and
 * ONNX Runtime executes it in this and every later call. Arguments and results are tensors, or arbitrarily nested
 * records of them.
 *
 * The function must be pure: values other than those of its arguments are fixed at the first call, so unseeded random
 * numbers are rejected. It must not read the values of tensors.
 *
 * @throws AttuneError `UNKNOWN_KERNEL`, `READS_TENSOR`, `UNSUPPORTED_TYPE`, `ESCAPED_TENSOR` or `FROZEN_RANDOMNESS`,
 * on the first call
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs'
 * import { jit } from '@attune/jit'
 * import { type Tensor, grad, mean, square, sub, tensor1d } from '@tensorflow/tfjs-core'
 * const step = jit((w: Tensor, x: Tensor) => sub(w, grad((v: Tensor) => mean(square(sub(v, x))))(w)))
 * console.log(step(tensor1d([0, 0]), tensor1d([1, 2])).dataSync()) // Float32Array(2) [ 1, 2 ]
 * ```
 */
export function jit<F extends PureFunction>(fn: F, options: JitOptions = {}): CompiledFunction<F> {
  const { donate = [], constant = [], maximumGraphs = 64, providers = ['cpu'] } = options
  registerKernels()
  const programs: Programs = new Map()
  let pinned: readonly object[] = []
  const sessions = new SharedSessions(graphOpener(options), providers[0] === 'cpu')
  const shared = { sessions, hostArrays: new HostArrays() }
  const isFull = (): boolean => programs.size > maximumGraphs || sessions.open > MAXIMUM_SESSIONS

  const dispose = (): void => {
    for (const each of programs.values()) each.dispose()
    programs.clear()
    shared.hostArrays.clear()
  }

  /** Disposes the graphs if their constants are other tensors than those of this call. */
  const pin = (leaves: readonly Leaf[]): void => {
    const now = leaves.filter(leavesAt(constant)).map(([, { dataId }]) => dataId)
    if (now.length !== pinned.length || now.some((dataId, i) => dataId !== pinned[i])) dispose()
    pinned = now
  }

  const make = (trees: readonly Tree[], leaves: readonly Leaf[]): CompiledProgram => {
    // Inputs that are not constants are transferred to a GPU at every call.
    const isHeld = providers[0] !== 'cpu' || areSmall(leaves.filter(leavesAt(constant)))
    const holds = isHeld ? leavesAt(constant) : () => false
    const traced = traceFunction(fn, trees, graphBackend(), holds)
    const donated = leaves.filter((leaf) => !holds(leaf)).map(leavesAt(donate))
    return { ...program(traced, donated, shared), rebuild: traced.rebuild, holds }
  }

  const run = (...trees: Tree[]): Tree => {
    const leaves = leavesOf(trees)
    pin(leaves)
    const ready = programFor(programs, keyOf(leaves), isFull, () => make(trees, leaves))
    const inputs = leaves.filter((leaf) => !ready.holds(leaf))
    const given = inputs.map(([, tensor]) => tensor)
    const donated = inputs.map(leavesAt(donate))
    const tensors = tensorsOf(ready, given, donated, graphBackend()) // another one after a reset of TF.js' engine
    const kept = new Set(tensors)
    for (const [i, tensor] of given.entries()) if (donated[i]! && !kept.has(tensor)) tensor.dispose()
    return ready.rebuild(tensors)
  }

  return Object.assign(run, { graphs: programs, sessions, dispose }) as unknown as CompiledFunction<F>
}
