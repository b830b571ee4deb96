import { SCHEDULER, definePlugin } from '@attune/core'
import { z } from 'zod'

/**
 * Inverse square-root decay after a linear warmup from 0 to 1, independent of the total number of steps.
 *
 *     factor(step) = (step − 1) / warmup                              while step − 1 < warmup
 *                    √(timescale / (step − 1 − warmup + timescale))   from then on
 *
 * This is `get_inverse_sqrt_schedule` of transformers: `factor(t)` is the value of its LambdaLR at `t − 1`, the rate of the t-th update.
 * With the default timescale it is the schedule of the paper, scaled to a peak of 1. Near neighbour: linear ends at 0 and depends on the
 * total number of steps.
 */
export const inverseSquareRoot = definePlugin({
  kind: SCHEDULER,
  name: 'inverse-square-root',
  summary: 'Inverse square-root decay after a linear warmup',
  source: 'Vaswani et al., Attention Is All You Need, 2017, equation 3',
  options: z.strictObject({
    warmupSteps: z
      .int()
      .min(0)
      .default(0)
      .describe('Number of warmup steps, over which the factor rises linearly from 0 to 1'),
    timescale: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Steps after the warmup at which the factor is √½. Default: the warmup steps, or 10,000 without warmup',
      ),
  }),
  create:
    ({ warmupSteps, timescale = warmupSteps === 0 ? 10_000 : warmupSteps }) =>
    (step) => {
      const done = step - 1
      return done < warmupSteps ? done / warmupSteps : Math.sqrt(timescale / (done - warmupSteps + timescale))
    },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler inverse-square-root': typeof inverseSquareRoot
  }
}

export default inverseSquareRoot
