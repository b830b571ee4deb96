import { type Params, mapParams } from '@attune/core'
import { type Scalar, type Tensor, add, div, mul, neg, sub, tanh, zerosLike } from '@tensorflow/tfjs-core'

/** Zeros of the shapes of the parameters, under their names: the initial value of a moment. */
export const zerosOf = (params: Params): Params => mapParams((p) => zerosLike(p), params)

/**
 * Exponential moving average of one step, per parameter: `a ← decay · a + (1 − decay) · x`.
 * @param decay in [0, 1]; a tensor `[]` if it varies by step
 */
export const movingAverage = (decay: number | Tensor, averages: Params, values: Params): Params => {
  const rest = typeof decay === 'number' ? 1 - decay : sub(1, decay)
  return mapParams((a, x) => add(mul(decay, a), mul(rest, x)), averages, values)
}

/**
 * Bias correction of a moving average that started at zero: `1 − decay^step`, `[]`. The average is divided by it. Without it, the first
 * steps of Adam are `(1 − beta1) / √(1 − beta2)` times as long, 3.2 times with the usual decay rates. It is computed as `2 τ / (1 + τ)` with
 * `τ = tanh(−step · ln(decay) / 2)`: the difference of two float32 numbers near 1 would be off by 1e-5 of itself.
 * Source: Kingma and Ba, Adam, 2015, section 3.
 */
export function biasCorrection(decay: number, step: Tensor): Scalar {
  const ratio = tanh(mul(-Math.log(decay) / 2, step))
  return div(mul(2, ratio), add(1, ratio))
}

/** Updates of a descent step: `−learningRate · direction`, per parameter. */
export const descend = (directions: Params, learningRate: Tensor): Params => {
  const factor = neg(learningRate)
  return mapParams((d) => mul(factor, d), directions)
}
