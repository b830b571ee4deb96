import { SCHEDULER, definePlugin } from '@attune/core'
import { z } from 'zod'

/**
 * The factor rises from 0 to 1 over the warm-up, then falls with the square root of the step, whatever the number of steps.
 *
 *     factor(step) = (step − 1) / warmup                              while step − 1 < warmup
 *                    √(timescale / (step − 1 − warmup + timescale))   from then on
 *
 * This is `get_inverse_sqrt_schedule` of transformers: `factor(t)` is what its LambdaLR gives for `t − 1`, the rate of the
 * t-th update. With the default timescale it is the schedule of the paper, scaled to a peak of 1. Near neighbour: linear
 * ends at 0 and must know how many steps there are.
 */
export const inverseSquareRoot = definePlugin({
  kind: SCHEDULER,
  name: 'inverse-square-root',
  summary: 'Warm-up from 0 to 1, then one over the square root of the step',
  source: 'Vaswani et al., Attention Is All You Need, 2017, equation 3',
  options: z.strictObject({
    warmupSteps: z.int().min(0).default(0).describe('Steps over which the factor rises from 0 to 1'),
    timescale: z
      .int()
      .min(1)
      .optional()
      .describe('Steps after the warm-up at which the factor is √½; default: the warm-up, or 10,000 without one'),
  }),
  create:
    ({ warmupSteps, timescale = warmupSteps === 0 ? 10_000 : warmupSteps }) =>
    (step) => {
      const done = step - 1
      return done < warmupSteps ? done / warmupSteps : Math.sqrt(timescale / (done - warmupSteps + timescale))
    },
})
export default inverseSquareRoot
