import { AttuneError, type Tree, isTensor, leaves, mapTree } from '@attune/core'
import { type Tensor, engine, getBackend, setBackend, tidy } from '@tensorflow/tfjs-core'
import { BACKEND, type GraphBackend, type Recording as BackendRecording, elementType } from './backend.js'
import type { Value } from './graph.js'
import type { Recorded } from './program.js'
import { withoutRandomness } from './randomness.js'

/** A pure function of trees of tensors. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments are contravariant: only `any` admits every tree
export type PureFunction = (...trees: any[]) => Tree

/** The tensors of a list of trees, each with its path. */
export const leavesOf = (trees: readonly Tree[]): readonly (readonly [string, Tensor])[] =>
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

/** A recorded function, and the form of its results. */
export interface Recording extends Recorded {
  /** Puts results in the shape that the function gave them. */
  rebuild(tensors: readonly Tensor[]): Tree
}

/** Another tensor with the same numbers, which are freed with the last of them. */
function sharing({ dataId, shape, dtype }: Tensor): Tensor {
  const { backend } = engine().state.tensorInfo.get(dataId)!
  backend.incRef(dataId)
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend)
}

/**
 * The tensors to give for those that the function gave. Where the graph computes two of these as one, there are two still: who
 * frees one, or gives it up, keeps the other.
 */
function handedOut(given: readonly Tensor[], made: readonly Tensor[]): ReadonlyMap<Tensor, Tensor> {
  const all = new Map<Tensor, Tensor>()
  const used = new Set<Tensor>()
  for (const [i, tensor] of given.entries()) {
    const result = made[i]!
    if (!all.has(tensor)) all.set(tensor, used.has(result) ? sharing(result) : result)
    used.add(result)
  }
  return all
}

/** Stand-ins for the leaves of arguments, by path; those that are `constant` stand for themselves. */
function standIns(trees: readonly Tree[], { backend, recording, constant }: Tracing) {
  const inputs: Value[] = []
  // In the order of leavesOf, so that inputs and arguments correspond.
  const symbols = leavesOf(trees).map((leaf): readonly [string, Tensor] => {
    if (constant(leaf)) return leaf
    const [path, { shape, dtype }] = leaf
    const value = recording.builder.input({ shape, dtype: elementType(dtype) })
    inputs.push(value)
    return [path, engine().makeTensorFromTensorInfo(backend.symbol(value, recording))]
  })
  return { inputs, symbols: new Map(symbols) }
}

/** A recording under way, and which leaves of the arguments are constants of it. */
interface Tracing {
  readonly backend: GraphBackend
  readonly recording: BackendRecording
  readonly constant: (leaf: readonly [string, Tensor]) => boolean
}

function trace(fn: PureFunction, trees: readonly Tree[], tracing: Tracing): Recording {
  const { backend, recording } = tracing
  let result: Recording | undefined
  tidy(() => {
    const { inputs, symbols } = standIns(trees, tracing)
    const given = trees.map((tree, i) => rebuilt(tree, (path) => symbols.get(path)!, String(i)))
    const out = withoutRandomness(() => fn(...given))
    const tensors = leaves(out, isTensor).map(([, tensor]) => tensor)
    const outputs = tensors.map((tensor) => backend.valueOf(tensor, recording))
    result = {
      inputs,
      outputs,
      hosted: recording.hosted,
      rebuild(made) {
        const results = handedOut(tensors, made)
        return mapTree(out, isTensor, (tensor) => results.get(tensor)!) as Tree
      },
    }
  })
  return result!
}

/**
 * Runs the function once on stand-ins for its arguments, and gives the graph of what it did. Leaves that are `constant` are
 * no inputs of the graph, which holds their numbers.
 */
export function record(
  fn: PureFunction,
  trees: readonly Tree[],
  backend: GraphBackend,
  constant: Tracing['constant'],
): Recording {
  const before = getBackend()
  void setBackend(BACKEND) // done on return, because the backend is there already
  try {
    return backend.record((recording) => trace(fn, trees, { backend, recording, constant }))
  } catch (error) {
    throw explained(error)
  } finally {
    void setBackend(before)
  }
}

/** A tree with other tensors at its leaves, chosen by their paths. */
function rebuilt(tree: Tree, at: (path: string) => Tensor, path: string): Tree {
  if (isTensor(tree)) return at(path)
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [key, rebuilt(node, at, path === '' ? key : `${path}/${key}`)]),
  )
}
