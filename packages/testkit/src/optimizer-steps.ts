import {
  type Closure,
  type Engine,
  type HostArray,
  type Hyper,
  type Optimizer,
  type Params,
  type Tree,
  isTensor,
  key,
  leaves,
  mapParams,
  normals,
  stream,
  treeOf,
} from '@attune/core'
import { type Scalar, add, addN, scalar, square, sum, valueAndGrads } from '@tensorflow/tfjs-core'

/** Parameters and state after a step. */
export interface Stepped {
  readonly params: Params
  readonly state: Tree
}

type Step = (params: Params, state: Tree, grads: Params, hyper: Hyper) => { params: Params; state: Tree }

/** A float32 array; without a shape, a vector. */
export const array = (values: readonly number[], shape: readonly number[] = [values.length]): HostArray => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from(values),
})

const SEED: HostArray = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }

/** The hyperparameters of a step. */
export const hyperArrays = (learningRate: number, step: number) => ({
  learningRate: array([learningRate], []),
  step: array([step], []),
  steps: array([1000], []),
  seed: SEED,
  scheduled: {},
})

/** Value and gradients of a loss. */
export function evaluate(loss: (params: Params) => Scalar, params: Params): { value: Scalar; grads: Params } {
  const names = Object.keys(params)
  const named = (tensors: readonly Params[string][]): Params =>
    Object.fromEntries(names.map((name, i) => [name, tensors[i]!]))
  const { value, grads } = valueAndGrads((...tensors) => loss(named(tensors)))(Object.values(params))
  return { value, grads: named(grads) }
}

/** The closure for an optimizer that needs one. */
export const closureOf = ({ needsClosure }: Optimizer, loss: (params: Params) => Scalar): Closure | undefined =>
  needsClosure === true
    ? (params) => {
        const { value, grads } = evaluate(loss, params)
        return { loss: value, grads, weight: scalar(1) }
      }
    : undefined

const sumOfSquares = (params: Params): Scalar => addN(Object.values(params).map((p) => sum(square(p)))) as Scalar

/** One step: an update, added to the parameters. An optimizer that needs a closure gets that of the sum of squares. */
export const stepOf =
  (optimizer: Optimizer): Step =>
  (params, state, grads, hyper) => {
    const result = optimizer.update(grads, state, params, hyper, closureOf(optimizer, sumOfSquares))
    return { params: mapParams((p, u) => add(p, u), params, result.updates), state: result.state }
  }

/** Path, dtype and shape of each tensor of a tree. */
export const signature = (tree: Tree): string[] =>
  leaves(tree, isTensor).map(([path, leaf]) => `${path} ${leaf.dtype} [${leaf.shape.join()}]`)

/** The parameters before the first step. */
export const start = { 'a.weight': array([1, -2, 3, -4, 5, -6], [2, 3]), 'a.bias': array([0.5, -0.5, 0.25]) }

/** Returns `count` reproducible gradients for {@link start}. */
export function gradients(count: number): { 'a.weight': HostArray; 'a.bias': HostArray }[] {
  const next = normals(stream(key(11)))
  const sample = (n: number): number[] => Array.from({ length: n }, next)
  return Array.from({ length: count }, () => ({ 'a.weight': array(sample(6), [2, 3]), 'a.bias': array(sample(3)) }))
}

/** Takes one step per gradient; frees the parameters and state it replaces. */
export function train(
  engine: Engine,
  optimizer: Optimizer,
  from: Stepped,
  steps: ReturnType<typeof gradients>,
  first = 1,
): Stepped {
  const step = engine.compile(stepOf(optimizer), { donate: [0, 1, 2, 3] })
  return steps.reduce((now, gradient, i) => {
    const hyper = engine.put(hyperArrays(0.1, first + i))
    return step(now.params, now.state, engine.put(gradient), hyper)
  }, from)
}

/** Nested state of a flat record whose names are paths. */
export const nest = (flat: Params): Tree => {
  const entries = Object.entries(flat)
  return entries.length === 0 ? ({} as Tree) : (treeOf(entries) as Tree)
}
