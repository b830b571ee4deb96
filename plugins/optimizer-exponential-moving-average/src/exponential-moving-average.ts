import { OPTIMIZER, definePlugin } from '@attune/core'
import { averageWeights, evaluatedWeightsOption } from '@attune/nn'
import { add, div, equal, minimum, scalar, sub, where } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Exponential moving average (EMA) of the weights, which is evaluated and saved in place of them
 * (`evaluate: weights` keeps the trained weights for both).
 *
 *     average ← decay · average + (1 − decay) · (p + Δ);   after the first step: p + Δ
 *
 * A link after an optimizer; training is unchanged. The average starts at the first updated weights, not at zero or at the initial ones, so
 * it needs no bias correction. With `warmup` the decay is at most `(1 + step) / (10 + step)`, so that a short run does not stay at its
 * first weights. As torch.optim.swa_utils.get_ema_multi_avg_fn.
 */
export const exponentialMovingAverage = definePlugin({
  kind: OPTIMIZER,
  name: 'exponential-moving-average',
  summary: 'Exponential moving average of the weights (EMA), for evaluation and saving',
  source: 'Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; in its exponential form',
  options: z.strictObject({
    decay: z.number().min(0).lt(1).default(0.999).describe('Decay rate of the average'),
    warmup: z.boolean().default(false).describe('Limit the decay to (1 + step) / (10 + step)'),
    evaluate: evaluatedWeightsOption,
  }),
  create: ({ decay, warmup, evaluate }) =>
    averageWeights(({ step }) => {
      const rate = warmup ? sub(1, minimum(decay, div(add(1, step), add(10, step)))) : scalar(1 - decay)
      return where(equal(step, 1), scalar(1), rate)
    }, evaluate),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer exponential-moving-average': typeof exponentialMovingAverage
  }
}

export default exponentialMovingAverage
