import { type Hyper, type Optimizer, type Params, mapParams } from '@attune/core'
import { type Tensor, add, clone, mul, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Average of the weights over steps: one tensor per parameter, of its shape. */
export interface AverageState extends Record<string, Params> {
  readonly average: Params
}

/** Option of a link that averages the weights: which of the two are evaluated and saved. */
export const evaluatedWeightsOption = z
  .enum(['average', 'weights'])
  .default('average')
  .describe(
    'Weights that are evaluated and saved: the average, or the trained weights, while the average stays in the checkpoints',
  )

/**
 * Weight averaging: follows the parameters after each update, `average ← average + rate · (p + Δ − average)`, and evaluates and saves the
 * average in place of them. The updates pass through unchanged, so this is the last link of a chain.
 * @param rate weight of the newest parameters, `[]` in [0, 1]; 1 replaces the average
 * @param evaluated `weights` evaluates and saves the trained parameters, and the average stays in the state only
 */
export const averageWeights = (
  rate: (hyper: Hyper) => Tensor,
  evaluated: z.output<typeof evaluatedWeightsOption> = 'average',
): Optimizer<AverageState> => ({
  link: 'after',
  init: (params) => ({ average: mapParams((p) => clone(p), params) }),
  update(updates, { average }, params, hyper) {
    const weight = rate(hyper)
    const follow = (a: Tensor, p: Tensor, u: Tensor): Tensor => add(a, mul(weight, sub(add(p, u), a)))
    return { updates, state: { average: mapParams(follow, average, params, updates) } }
  },
  ...(evaluated === 'average' && {
    evaluationParams: ({ average }: AverageState) => mapParams((a) => clone(a), average),
  }),
})
