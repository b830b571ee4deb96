import { OPTIMIZER, definePlugin } from '@attune/core'
import { averageWeights, evaluatedWeightsOption } from '@attune/nn'
import { add, ceil, div, equal, floor, less, maximum, mod, mul, scalar, sub, where } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Stochastic weight averaging (SWA): the plain mean of the weights at every `interval`-th step of the last part of a run, which is evaluated
 * and saved in place of them (`evaluate: weights` keeps the trained weights for both).
 *
 *     at step t₀, t₀ + interval, …:   average ← average + (p + Δ − average) / n,   t₀ = max(1, ⌈start · steps⌉)
 *
 * A link after an optimizer; training is unchanged. Before t₀ the current weights are evaluated. Use it with a constant or cyclic learning
 * rate. Near neighbour: an exponential moving average weights recent steps more. The models of this framework have no batch normalization,
 * so the paper's last pass over the data is not needed.
 */
export const stochasticWeightAveraging = definePlugin({
  kind: OPTIMIZER,
  name: 'stochastic-weight-averaging',
  summary: 'Stochastic weight averaging (SWA): the mean of late weights, for evaluation and saving',
  source: 'Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018, algorithm 1',
  options: z.strictObject({
    start: z.number().min(0).lt(1).default(0.75).describe('Fraction of the steps after which averaging starts'),
    interval: z.int().min(1).default(1).describe('Steps between two averaged weights, usually those of an epoch'),
    evaluate: evaluatedWeightsOption,
  }),
  create: ({ start, interval, evaluate }) =>
    averageWeights(({ step, steps }) => {
      const after = sub(step, maximum(1, ceil(mul(start, steps))))
      const averaged = add(1, floor(div(after, interval)))
      const due = equal(mod(maximum(after, 0), interval), 0)
      return where(less(after, 0), scalar(1), where(due, div(1, averaged), scalar(0)))
    }, evaluate),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer stochastic-weight-averaging': typeof stochasticWeightAveraging
  }
}

export default stochasticWeightAveraging
