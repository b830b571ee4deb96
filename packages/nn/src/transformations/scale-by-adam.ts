import { type Optimizer, type Params, mapParams } from '@attune/core'
import { add, div, maximum, sqrt, square } from '@tensorflow/tfjs-core'
import { biasCorrection, movingAverage, zerosOf } from './moments.js'

/**
 * Exponential moving averages of the gradients and of their squares: one tensor per parameter each, of its shape; with AMSGrad also
 * `maximum`, the largest mean square so far.
 */
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
 * With `amsgrad`, the largest `v` so far is used for `v`, as in PyTorch: the maximum is bias-corrected, not taken of
 * bias-corrected values.
 * Source: Kingma and Ba, Adam, 2015, algorithm 1; Reddi et al., On the Convergence of Adam and Beyond, 2018, algorithm 2.
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
export const scaleByAdam = (beta1: number, beta2: number, epsilon: number, amsgrad = false): Optimizer<AdamState> => ({
  init: (params) => ({
    mean: zerosOf(params),
    meanSquare: zerosOf(params),
    ...(amsgrad ? { maximum: zerosOf(params) } : {}),
  }),
  update(grads, state, _params, { step }) {
    const mean = movingAverage(beta1, state.mean, grads)
    const meanSquare = movingAverage(beta2, state.meanSquare, mapParams(square, grads))
    const largest = amsgrad ? mapParams((a, b) => maximum(a, b), state['maximum']!, meanSquare) : undefined
    const firstCorrection = biasCorrection(beta1, step)
    const rootCorrection = sqrt(biasCorrection(beta2, step))
    const updates = mapParams(
      (first, second) => div(div(first, firstCorrection), add(div(sqrt(second), rootCorrection), epsilon)),
      mean,
      largest ?? meanSquare,
    )
    return { updates, state: { mean, meanSquare, ...(largest === undefined ? {} : { maximum: largest }) } }
  },
})
