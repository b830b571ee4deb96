import { type Optimizer, type Params, mapParams } from '@attune/core'
import { type Scalar, add, addN, minimum, mul, div, scalar, sqrt, square, sum } from '@tensorflow/tfjs-core'

/** Global L2 norm: the Euclidean norm of all entries of all tensors. */
export const globalNorm = (params: Params): Scalar => {
  const squares = Object.values(params).map((tensor) => sum(square(tensor)))
  return squares.length === 0 ? scalar(0) : (sqrt(addN(squares)) as Scalar)
}

/**
 * Gradient clipping by global norm: scales all gradients by `min(1, maximumNorm / (norm + 1e-6))`, as
 * torch.nn.utils.clip_grad_norm_ does.
 * Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013, algorithm 1.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { clipByGlobalNorm, globalNorm } from '@attune/nn'
 * import { scalar, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const grads = { w: tensor1d([3]), b: tensor1d([4]) }
 * const hyper = { learningRate: scalar(0.1), step: scalar(1), steps: scalar(1), seed: tensor1d([1, 0], 'int32'), scheduled: {} }
 * const { updates } = clipByGlobalNorm(1).update(grads, {}, grads, hyper)
 * console.log(globalNorm(grads).arraySync(), globalNorm(updates).arraySync().toFixed(3)) // 5 1.000
 * ```
 */
export const clipByGlobalNorm = (maximumNorm: number): Optimizer<Record<never, never>> => ({
  link: 'before',
  init: () => ({}),
  update(grads, state) {
    const factor = minimum(1, div(maximumNorm, add(globalNorm(grads), 1e-6)))
    return { updates: mapParams((g) => mul(g, factor), grads), state }
  },
})
