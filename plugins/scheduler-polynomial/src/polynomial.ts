import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

/**
 * Polynomial decay towards `floor` after a linear warmup from 0 to 1.
 *
 *     progress = (step − 1 − warmup) / (steps − warmup)
 *     factor(step) = (step − 1) / warmup                               while step − 1 < warmup
 *                    floor + (1 − floor) · (1 − progress)^power        from then on
 *
 * This is `get_polynomial_decay_schedule_with_warmup` of transformers with `lr_end` as a fraction of the learning rate: `factor(t)` is the
 * value of its LambdaLR at `t − 1`, the rate of the t-th update. Near neighbour: linear is the power 1 with a floor of 0.
 */
export const polynomial = definePlugin({
  kind: SCHEDULER,
  name: 'polynomial',
  summary: 'Polynomial decay after a linear warmup, down to a floor',
  source: 'Liu et al., RoBERTa, 2019, section 3; fairseq, polynomial_decay_schedule',
  options: withWarmup({
    power: z
      .number()
      .positive()
      .max(100)
      .default(2)
      .describe('Power of the decay; above 1 the rate decays fast at first'),
    floor: z.number().min(0).max(1).default(0).describe('Factor at the end of the decay'),
  }),
  create: ({ power, floor, ...rise }) => warmup(rise, (progress) => floor + (1 - floor) * (1 - progress) ** power),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler polynomial': typeof polynomial
  }
}

export default polynomial
