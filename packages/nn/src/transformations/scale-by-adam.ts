import { type Optimizer, type Params, mapParams } from '@attune/core'
import { add, div, mul, pow, sqrt, square, sub, zerosLike } from '@tensorflow/tfjs-core'

/** Exponential moving averages of the gradients and of their squares: one tensor per parameter each, of its shape. */
export interface AdamState extends Record<string, Params> {
  readonly mean: Params
  readonly meanSquare: Params
}

/**
 * Adam scaling: divides the mean gradient by the root of the mean square, both bias-corrected:
 *
 *     m ← beta1 · m + (1 − beta1) · g        m̂ = m / (1 − beta1^step)
 *     v ← beta2 · v + (1 − beta2) · g²       v̂ = v / (1 − beta2^step)
 *     Δ = m̂ / (√v̂ + epsilon)
 *
 * Source: Kingma and Ba, Adam, 2015, algorithm 1.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { scaleByAdam } from '@attune/nn'
 * import { scalar, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const params = { w: tensor1d([0, 0]) }
 * const hyper = { learningRate: scalar(0.1), step: scalar(1), steps: scalar(1), seed: tensor1d([1, 0], 'int32'), scheduled: {} }
 * const adam = scaleByAdam(0.9, 0.999, 1e-8)
 * const { updates } = adam.update({ w: tensor1d([0.01, -50]) }, adam.init(params), params, hyper)
 * console.log(Array.from(updates['w']!.dataSync(), (value) => value.toFixed(3))) // [ '1.000', '-1.000' ]
 * ```
 */
export const scaleByAdam = (beta1: number, beta2: number, epsilon: number): Optimizer<AdamState> => ({
  init: (params) => ({ mean: mapParams(zerosLike, params), meanSquare: mapParams(zerosLike, params) }),
  update(grads, { mean, meanSquare }, _params, { step }) {
    const m = mapParams((last, g) => add(mul(beta1, last), mul(1 - beta1, g)), mean, grads)
    const v = mapParams((last, g) => add(mul(beta2, last), mul(1 - beta2, square(g))), meanSquare, grads)
    const firstCorrection = sub(1, pow(beta1, step))
    const rootCorrection = sqrt(sub(1, pow(beta2, step)))
    const updates = mapParams(
      (first, second) => div(div(first, firstCorrection), add(div(sqrt(second), rootCorrection), epsilon)),
      m,
      v,
    )
    return { updates, state: { mean: m, meanSquare: v } }
  },
})
