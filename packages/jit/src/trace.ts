import { AttuneError, type Tree, isTensor, leaves, mapTree } from '@attune/core'
import { type Tensor, engine, getBackend, setBackend, tidy } from '@tensorflow/tfjs-core'
import { BACKEND, type GraphBackend, type Trace as BackendTrace } from './backend.js'
import { elementType } from './element-type.js'
import type { Value } from './graph.js'
import type { TracedGraph } from './program.js'
import { withoutRandomness } from './randomness.js'

/** A pure function of trees of tensors. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments are contravariant: only `any` admits every tree
export type PureFunction = (...trees: any[]) => Tree

/** Tensors of a list of trees, each with its path. */
export const leavesOf = (trees: readonly Tree[]): readonly (readonly [string, Tensor])[] =>
  trees.flatMap((tree, i) => leaves(tree, isTensor, String(i)))

/** TF.js' error messages about a kernel that a backend lacks. */
const MISSING = /Kernel '([^']+)' not registered|registered kernel '([^']+)'/

/** TF.js operation in which an error was thrown: the names of their functions end with an underscore. */
const operationIn = (stack: string): string => /\bat (?:\w+\.)?(\w+)_ /.exec(stack)?.[1] ?? 'an operation'

function explainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const missing = MISSING.exec(error.message)
  if (missing === null) return error
  const name = missing[1] ?? missing[2] ?? ''
  return new AttuneError(
    'UNKNOWN_KERNEL',
    `${operationIn(error.stack ?? '')} calls the TF.js kernel ${name}, which cannot be compiled`,
    'Rewrite the function with other operations, or run it without compiling it.',
  )
}

/** A traced function, and the structure of its results. */
export interface Traced extends TracedGraph {
  /** Rebuilds the tree of results. */
  rebuild(tensors: readonly Tensor[]): Tree
}

/** Returns another tensor with shared values, which are freed with the last of them. */
function shareValues({ dataId, shape, dtype }: Tensor): Tensor {
  const { backend } = engine().state.tensorInfo.get(dataId)!
  backend.incRef(dataId)
  return engine().makeTensorFromTensorInfo({ dataId, shape, dtype }, backend)
}

/**
 * Result tensors for the tensors that the function returned. If the graph computes two of these as one, there are
 * still two tensors, so that one remains valid if the other is disposed or donated.
 */
function resultTensors(given: readonly Tensor[], made: readonly Tensor[]): ReadonlyMap<Tensor, Tensor> {
  const all = new Map<Tensor, Tensor>()
  const used = new Set<Tensor>()
  for (const [i, tensor] of given.entries()) {
    const result = made[i]!
    if (!all.has(tensor)) all.set(tensor, used.has(result) ? shareValues(result) : result)
    used.add(result)
  }
  return all
}

/** Symbolic tensors for the leaves of arguments, by path; `constant` leaves are used as they are. */
function symbolicInputs(trees: readonly Tree[], { backend, trace, constant }: Tracing) {
  const inputs: Value[] = []
  // In the order of leavesOf, which aligns inputs with arguments.
  const symbols = leavesOf(trees).map((leaf): readonly [string, Tensor] => {
    if (constant(leaf)) return leaf
    const [path, { shape, dtype }] = leaf
    const value = trace.builder.input({ shape, dtype: elementType(dtype) })
    inputs.push(value)
    return [path, engine().makeTensorFromTensorInfo(backend.symbol(value, trace))]
  })
  return { inputs, symbols: new Map(symbols) }
}

/** A trace in progress, and a predicate for the leaves of the arguments that are constants. */
interface Tracing {
  readonly backend: GraphBackend
  readonly trace: BackendTrace
  readonly constant: (leaf: readonly [string, Tensor]) => boolean
}

/** Returns the function that rebuilds a result. In a function of its own, because a closure keeps all that its neighbors read: here the trace. */
function rebuilder(out: Tree): Traced['rebuild'] {
  const tensors = leaves(out, isTensor).map(([, tensor]) => tensor)
  return (made) => {
    const results = resultTensors(tensors, made)
    return mapTree(out, isTensor, (tensor) => results.get(tensor)!) as Tree
  }
}

function traceWith(fn: PureFunction, trees: readonly Tree[], tracing: Tracing): Traced {
  const { backend, trace } = tracing
  let result: Traced | undefined
  tidy(() => {
    const { inputs, symbols } = symbolicInputs(trees, tracing)
    const given = trees.map((tree, i) => mapLeaves(tree, (path) => symbols.get(path)!, String(i)))
    const out = withoutRandomness(() => fn(...given))
    const tensors = leaves(out, isTensor).map(([, tensor]) => tensor)
    const outputs = tensors.map((tensor) => backend.valueOf(tensor, trace))
    result = { inputs, outputs, hosted: trace.hosted, views: trace.views, rebuild: rebuilder(out) }
  })
  return result!
}

/**
 * Traces a function: runs it once with symbolic tensors and returns the graph of its operations. Leaves that are
 * `constant` are not inputs; the graph holds their values.
 */
export function traceFunction(
  fn: PureFunction,
  trees: readonly Tree[],
  backend: GraphBackend,
  constant: Tracing['constant'],
): Traced {
  const before = getBackend()
  void setBackend(BACKEND) // synchronous, because the backend is already registered
  try {
    return backend.trace((trace) => traceWith(fn, trees, { backend, trace, constant }))
  } catch (error) {
    throw explainError(error)
  } finally {
    void setBackend(before)
  }
}

/** Tree with its leaves replaced by path. */
function mapLeaves(tree: Tree, at: (path: string) => Tensor, path: string): Tree {
  if (isTensor(tree)) return at(path)
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [key, mapLeaves(node, at, path === '' ? key : `${path}/${key}`)]),
  )
}
