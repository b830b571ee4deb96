import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup } from '@attune/nn'
import { z } from 'zod'

/**
 * Linear decay towards 0 after a linear warmup from 0 to 1.
 *
 *     factor(step) = (step − 1) / warmup                         while step − 1 < warmup
 *                    (steps − step + 1) / (steps − warmup)       from then on
 *
 * This is `get_linear_schedule_with_warmup` of transformers: `factor(t)` is the value of its LambdaLR at `t − 1`, the rate of the t-th
 * update. So with a warmup the first update has factor 0, and the last one has `1 / (steps − warmup)`, not 0. Near neighbour: cosine stays
 * high for longer and then decays faster.
 */
export const linear = definePlugin({
  kind: SCHEDULER,
  name: 'linear',
  summary: 'Linear decay after a linear warmup',
  source: 'Devlin et al., BERT, 2019, appendix A.2',
  options: z
    .strictObject({
      warmupSteps: z
        .int()
        .min(0)
        .default(0)
        .describe('Number of warmup steps, over which the factor rises linearly from 0 to 1'),
      warmupRatio: z.number().min(0).lt(1).default(0).describe('Warmup steps as a fraction of all steps, rounded up'),
    })
    .refine(({ warmupSteps, warmupRatio }) => warmupSteps === 0 || warmupRatio === 0, {
      error: 'set either `warmupSteps` or `warmupRatio`, not both',
    }),
  create: (options) => warmup(options, (progress) => 1 - progress),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler linear': typeof linear
  }
}

export default linear
