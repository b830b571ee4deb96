import { AttuneError, type Tree, isTensor, leaves, mapTree } from '@attune/core'
import { type Tensor, engine, getBackend, setBackend, tidy } from '@tensorflow/tfjs-core'
import { BACKEND, type GraphBackend, elementType, graphBackend } from './backend.js'
import { type Program, type Recorded, program } from './program.js'
import { registerKernels } from './register.js'
import type { SessionOptions } from './session.js'

/** A pure function of trees of tensors. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments are contravariant: only `any` admits every tree
export type PureFunction = (...trees: any[]) => Tree

/** How to compile. */
export interface JitOptions extends SessionOptions {
  /** Positions of arguments that the caller gives up: the results are written into their memory, and they are disposed. */
  readonly donate?: readonly number[]
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

/** The tensors of a list of trees, each with its path. */
const leavesOf = (trees: readonly Tree[]): readonly (readonly [string, Tensor])[] =>
  trees.flatMap((tree, i) => leaves(tree, isTensor, String(i)))

/** Words of TF.js' errors about a kernel that a backend lacks. */
const MISSING = /Kernel '([^']+)' not registered|registered kernel '([^']+)'/

/** The TF.js operation in whose function an error arose: its name ends in an underscore there. */
const operationIn = (stack: string): string => /\bat (?:\w+\.)?(\w+)_ /.exec(stack)?.[1] ?? 'an operation'

function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const missing = MISSING.exec(error.message)
  if (missing === null) return error
  const name = missing[1] ?? missing[2] ?? ''
  return new AttuneError(
    'UNKNOWN_KERNEL',
    `${operationIn(error.stack ?? '')} calls TF.js' kernel ${name}, which cannot be compiled`,
    'Write the function with other operations, or run it without compiling it.',
  )
}

interface Recording extends Recorded {
  /** Puts results in the shape that the function gave them. */
  rebuild(tensors: readonly Tensor[]): Tree
}

/** Runs the function once on stand-ins for its arguments, and gives the graph of what it did. */
function record(fn: PureFunction, trees: readonly Tree[], backend: GraphBackend): Recording {
  const before = getBackend()
  void setBackend(BACKEND) // done on return, because the backend is there already
  try {
    return backend.record((recording) => {
      const inputs: Recorded['inputs'][number][] = []
      let result: Recording | undefined
      tidy(() => {
        // In the order of leavesOf, so that inputs and arguments correspond.
        const symbols = new Map(
          leavesOf(trees).map(([path, { shape, dtype }]) => {
            const value = recording.builder.input({ shape, dtype: elementType(dtype) })
            inputs.push(value)
            return [path, engine().makeTensorFromTensorInfo(backend.symbol(value, recording))]
          }),
        )
        const given = trees.map((tree, i) => rebuilt(tree, (path) => symbols.get(path)!, String(i)))
        const out = fn(...given)
        const tensors = leaves(out, isTensor)
        const outputs = tensors.map(([, tensor]) => backend.valueOf(tensor, recording))
        const places = new Map<Tensor, number>(tensors.map(([, tensor], i) => [tensor, i]))
        result = {
          inputs,
          outputs,
          hosted: recording.hosted,
          rebuild: (made) => mapTree(out, isTensor, (tensor) => made[places.get(tensor)!]!) as Tree,
        }
      })
      return result!
    })
  } catch (error) {
    throw explained(error)
  } finally {
    void setBackend(before)
  }
}

/** A tree with other tensors at its leaves, chosen by their paths. */
function rebuilt(tree: Tree, at: (path: string) => Tensor, path: string): Tree {
  if (isTensor(tree)) return at(path)
  return Object.fromEntries(Object.entries(tree).map(([key, node]) => [key, rebuilt(node, at, path === '' ? key : `${path}/${key}`)]))
}

const keyOf = (arguments_: readonly (readonly [string, Tensor])[]): string =>
  arguments_.map(([path, { dtype, shape }]) => `${path}:${dtype}[${shape.join()}]`).join(' ')

/**
 * Compiles a pure function of TF.js tensors, gradients and all, to a native program. At the first call with tensors of
 * certain shapes and types the function runs once on stand-ins, what it does becomes an ONNX graph, and ONNX Runtime runs
 * that, then and from then on. Arguments and results are tensors, or records of them, nested at will.
 *
 * The function must be pure: numbers other than those of its arguments, `Math.random()` among them, are those of the first
 * call for ever. It must not look at the numbers of tensors.
 *
 * @throws AttuneError `UNKNOWN_KERNEL`, `READS_TENSOR`, `UNSUPPORTED_TYPE`, `ESCAPED_TENSOR`, at the first call.
 */
export function jit<F extends PureFunction>(fn: F, options: JitOptions = {}): Jitted<F> {
  const { donate = [], maximumGraphs = 16 } = options
  const backend = graphBackend()
  registerKernels(backend)
  const programs = new Map<string, Program & Pick<Recording, 'rebuild'>>()

  const compiled = (trees: readonly Tree[], given: ReturnType<typeof leavesOf>) => {
    const key = keyOf(given)
    const found = programs.get(key)
    programs.delete(key)
    const donated = given.map(([path]) => donate.includes(Number(path.split('/', 1)[0])))
    const recorded = found === undefined ? record(fn, trees, backend) : undefined
    const made = found ?? { ...program(recorded!, donated, options), rebuild: recorded!.rebuild }
    programs.set(key, made) // last, as the one used most lately
    for (const [oldest, each] of programs)
      if (programs.size > maximumGraphs) {
        each.dispose()
        programs.delete(oldest)
      }
    return { ...made, donated }
  }

  const run = (...trees: Tree[]): Tree => {
    const given = leavesOf(trees)
    const { inputs, outputs, donated, rebuild, ...ready } = compiled(trees, given)
    const uses = new Map<object, number>()
    for (const [, { dataId }] of given) uses.set(dataId, (uses.get(dataId) ?? 0) + 1)
    const arguments_ = given.map(([, tensor], i) => {
      const held = backend.held(tensor.dataId)
      const owned = donated[i]! && held !== undefined && backend.isSole(tensor.dataId) && uses.get(tensor.dataId) === 1
      return { values: held ?? (tensor.dataSync() as Float32Array), owned }
    })
    const results = ready.run(arguments_)
    const kept = new Set<Tensor>()
    const made = new Map<unknown, Tensor>()
    const tensors = outputs.map((output, i) => {
      const passed = inputs.indexOf(output)
      const tensor =
        passed >= 0
          ? given[passed]![1]
          : (made.get(output) ??
            engine().makeTensorFromTensorInfo(backend.hold(results[i]!, output.shape, output.dtype), backend))
      made.set(output, tensor)
      kept.add(tensor)
      return tensor
    })
    for (const [i, [, tensor]] of given.entries()) if (donated[i]! && !kept.has(tensor)) tensor.dispose()
    return rebuild(tensors)
  }

  return Object.assign(run, {
    graphs: programs,
    dispose() {
      for (const each of programs.values()) each.dispose()
      programs.clear()
    },
  }) as unknown as Jitted<F>
}
