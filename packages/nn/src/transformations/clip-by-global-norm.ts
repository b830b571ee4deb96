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
 */
export const clipByGlobalNorm = (maximumNorm: number): Optimizer<Record<never, never>> => ({
  init: () => ({}),
  update(grads, state) {
    const factor = minimum(1, div(maximumNorm, add(globalNorm(grads), 1e-6)))
    return { updates: mapParams((g) => mul(g, factor), grads), state }
  },
})
