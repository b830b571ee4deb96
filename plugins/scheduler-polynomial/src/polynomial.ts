import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup } from '@attune/nn'
import { z } from 'zod'

/**
 * The factor rises from 0 to 1 over the warm-up, then falls towards `floor` as a power of the share of steps that is left.
 *
 *     progress = (step − 1 − warmup) / (steps − warmup)
 *     factor(step) = (step − 1) / warmup                               while step − 1 < warmup
 *                    floor + (1 − floor) · (1 − progress)^power        from then on
 *
 * This is `get_polynomial_decay_schedule_with_warmup` of transformers with `lr_end` as a share of the learning rate:
 * `factor(t)` is what its LambdaLR gives for `t − 1`, the rate of the t-th update. Near neighbour: linear is the power 1
 * with a floor of 0.
 */
export const polynomial = definePlugin({
  kind: SCHEDULER,
  name: 'polynomial',
  summary: 'Warm-up from 0 to 1, then a power of what is left, down to a floor',
  source: 'Liu et al., RoBERTa, 2019, section 3; fairseq, polynomial_decay_schedule',
  options: z
    .strictObject({
      warmupSteps: z.int().min(0).default(0).describe('Steps over which the factor rises from 0 to 1'),
      warmupRatio: z.number().min(0).lt(1).default(0).describe('The same as a share of all steps, rounded up'),
      power: z.number().positive().max(100).default(2).describe('The power: above 1 the rate falls fast at first'),
      floor: z.number().min(0).max(1).default(0).describe('The factor that the rate falls to'),
    })
    .refine(({ warmupSteps, warmupRatio }) => warmupSteps === 0 || warmupRatio === 0, {
      error: 'either `warmupSteps` or `warmupRatio` may be given, not both',
    }),
  create: ({ power, floor, ...rise }) => warmup(rise, (progress) => floor + (1 - floor) * (1 - progress) ** power),
})
export default polynomial
