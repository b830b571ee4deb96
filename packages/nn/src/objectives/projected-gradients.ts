import type { Mode, Params } from '@attune/core'
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
} from '@tensorflow/tfjs-core'
import { gradients } from '../engine/gradients.js'
import { withGradients } from '../engine/with-gradients.js'
import { keyAt } from '../layers/dropout.js'
import { noise } from '../layers/noise.js'
import { innerProduct } from '../transformations/vectors.js'

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

/**
 * The sum of the losses of several tasks with the gradient of PCGrad: the sum of their projected gradients for the shared parameters, and of
 * the gradients themselves for the others. In training, each task visits the others in random order; otherwise in the order given.
 *
 * When to use it: on tasks whose gradients conflict. It costs one backward pass for each task, and holds the gradients of all in memory.
 * Gotcha: the value has these gradients only with respect to `trainable`.
 * Source: Yu et al., Gradient Surgery for Multi-Task Learning, 2020, algorithm 1.
 * @param losses mean loss of each task, `[]`
 * @param isShared true for the name of a parameter that the tasks share
 * @returns `[]`
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { gradients, projectedLoss } from '@attune/nn'
 * import { dot, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { w: tensor1d([1, 1]) }
 * const tasks = [tensor1d([1, 0]), tensor1d([-1, 1])].map((direction) => () => dot(params.w, direction))
 * const { grads } = gradients(() => projectedLoss(tasks, params, () => true, { training: false }), params)
 * console.log(grads['w']!.arraySync()) // [ 0.5, 1.5 ]
 * ```
 */
export function projectedLoss(
  losses: readonly (() => Tensor)[],
  trainable: Params,
  isShared: (parameter: string) => boolean,
  mode: Mode,
): Scalar {
  const each = losses.map((loss) => gradients(loss, trainable))
  const count = each.length
  const order = mode.training
    ? noise(keyAt(mode.key, STREAM), [count, count], 'uniform')
    : tile(expandDims(range(0, count), 0), [count, 1])
  const shared = each.map(({ grads }) => Object.fromEntries(Object.entries(grads).filter(([name]) => isShared(name))))
  const weights = projectionWeights(innerProducts(shared), order)
  const one = scalar(1)
  const weightOf = (i: number, name: string): Tensor => (isShared(name) ? reshape(gather(weights, [i]), []) : one)
  const combined = Object.fromEntries(
    Object.keys(trainable).map((name) => [
      name,
      addN(each.map(({ grads }, i) => mul(weightOf(i, name), grads[name]!))),
    ]),
  )
  return withGradients(addN(each.map(({ value }) => value)), trainable, combined) as Scalar
}
