import { type Params, type TrainingContext } from '@attune/core'
import { innerProduct, keyAt, noise, taped, withGradients } from '@attune/nn'
import {
  type Scalar,
  type Tensor,
  add,
  addN,
  cast,
  divNoNan,
  equal,
  expandDims,
  eye,
  gather,
  less,
  matMul,
  minimum,
  mul,
  range,
  reshape,
  scalar,
  stack,
  sub,
  sum,
  tile,
  zerosLike,
} from '@tensorflow/tfjs-core'
import { isShared } from './task.js'

/** Separates the order of the tasks from the dropout of the model. */
const STREAM = 701

/**
 * Weights `[tasks]` such that the sum of the tasks' projected gradients is `Σ_j weight_j · g_j`. Each task's gradient, in turn for all others in
 * random order, loses its component along theirs if the two conflict:
 *
 *     g_i ← g_i − min(0, g_i · g_j) / ‖g_j‖² · g_j,   with the original g_j
 *
 * A projected gradient is a combination of the original ones, so their inner products are enough.
 * Source: Yu et al., Gradient Surgery for Multi-Task Learning, 2020, algorithm 1.
 * @param products inner products of the gradients, `[tasks, tasks]`
 * @param order numbers in [0, tasks), `[tasks, tasks]`: row i visits the other tasks in ascending order of theirs
 */
export function projectionWeights(products: Tensor, order: Tensor): Tensor {
  const count = products.shape[0]!
  const last = add(order, mul(eye(count), count + 1)) // a task does not visit itself
  const isBefore = less(expandDims(last, 1), expandDims(last, 2)) // [tasks, visited, other]
  const ranks = sum(cast(isBefore, 'float32'), 2)
  const squares = gather(
    reshape(products, [-1]),
    Array.from({ length: count }, (_, i) => i * (count + 1)),
  )
  let weights: Tensor = eye(count)
  for (let stage = 0; stage < count - 1; stage++) {
    const visited = cast(equal(ranks, stage), 'float32') // [tasks, tasks], one-hot rows
    const along = sum(mul(matMul(weights, products), visited), 1, true)
    const fraction = divNoNan(minimum(along, 0), sum(mul(visited, expandDims(squares, 0)), 1, true))
    weights = sub(weights, mul(fraction, visited))
  }
  return sum(weights, 0)
}

/** Inner products of gradients, `[tasks, tasks]`. */
function innerProducts(grads: readonly Params[]): Tensor {
  const upper = grads.map((a, i) => grads.slice(i).map((b) => innerProduct(a, b)))
  return stack(grads.map((_, i) => stack(grads.map((__, j) => upper[Math.min(i, j)]![Math.abs(i - j)]!))))
}

const onlyShared = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => isShared(name)))

/**
 * The sum of the tasks' losses with the gradient of PCGrad: projected gradients for the shared parameters, and the gradients themselves for
 * those of a task.
 * @param losses mean loss of each task, `[]`
 */
export function projectedLoss({ trainable, mode }: TrainingContext, losses: readonly (() => Tensor)[]): Scalar {
  const names = Object.keys(trainable)
  const each = losses.map((loss) => {
    const { value, grads } = taped(loss, Object.values(trainable))
    return { value, grads: Object.fromEntries(names.map((name, i) => [name, grads[i] ?? zerosLike(trainable[name]!)])) }
  })
  const count = each.length
  const order = mode.training
    ? noise(keyAt(mode.key, STREAM), [count, count], 'uniform')
    : tile(expandDims(range(0, count), 0), [count, 1])
  const weights = projectionWeights(innerProducts(each.map(({ grads }) => onlyShared(grads))), order)
  const one = scalar(1)
  const weightOf = (i: number, name: string): Tensor => (isShared(name) ? reshape(gather(weights, [i]), []) : one)
  const combined = Object.fromEntries(
    names.map((name) => [name, addN(each.map(({ grads }, i) => mul(weightOf(i, name), grads[name]!)))]),
  )
  return withGradients(addN(each.map(({ value }) => value)), trainable, combined) as Scalar
}
