import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup } from '@attune/nn'
import { z } from 'zod'

/**
 * The factor rises from 0 to 1 over the warm-up, then falls in a straight line towards 0.
 *
 *     factor(step) = (step − 1) / warmup                         while step − 1 < warmup
 *                    (steps − step + 1) / (steps − warmup)       from then on
 *
 * This is `get_linear_schedule_with_warmup` of transformers: `factor(t)` is what its LambdaLR gives for `t − 1`, the
 * rate of the t-th update. So with a warm-up the first update has factor 0, as there, and the last one has
 * `1 / (steps − warmup)`, not 0. Near neighbour: cosine stays high for longer and then falls faster.
 */
export const linear = definePlugin({
  kind: SCHEDULER,
  name: 'linear',
  summary: 'Warm-up from 0 to 1, then a straight line down to 0',
  source: 'Devlin et al., BERT, 2019, appendix A.2',
  options: z
    .strictObject({
      warmupSteps: z.int().min(0).default(0).describe('Steps over which the factor rises from 0 to 1'),
      warmupRatio: z.number().min(0).lt(1).default(0).describe('The same as a share of all steps, rounded up'),
    })
    .refine(({ warmupSteps, warmupRatio }) => warmupSteps === 0 || warmupRatio === 0, {
      error: 'either `warmupSteps` or `warmupRatio` may be given, not both',
    }),
  create: (options) => warmup(options, (progress) => 1 - progress),
})
export default linear
