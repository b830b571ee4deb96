import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup } from '@attune/nn'
import { z } from 'zod'

/**
 * The factor rises from 0 to 1 over the warm-up, then falls along half a cosine towards `floor`.
 *
 *     progress = (step − 1 − warmup) / (steps − warmup)
 *     factor(step) = (step − 1) / warmup                                        while step − 1 < warmup
 *                    floor + (1 − floor) · (1 + cos(π · progress)) / 2          from then on
 *
 * This is `get_cosine_schedule_with_warmup` of transformers, and with a floor
 * `get_cosine_with_min_lr_schedule_with_warmup`: `factor(t)` is what its LambdaLR gives for `t − 1`, the rate of the t-th
 * update. So with a warm-up the first update has factor 0, as there, and the last one is a little above the floor.
 * Near neighbour: linear falls evenly. The restarts of the paper are left out.
 */
export const cosine = definePlugin({
  kind: SCHEDULER,
  name: 'cosine',
  summary: 'Warm-up from 0 to 1, then half a cosine down to a floor',
  source: 'Loshchilov and Hutter, SGDR, 2017, equation 5, without restarts',
  options: z
    .strictObject({
      warmupSteps: z.int().min(0).default(0).describe('Steps over which the factor rises from 0 to 1'),
      warmupRatio: z.number().min(0).lt(1).default(0).describe('The same as a share of all steps, rounded up'),
      floor: z.number().min(0).max(1).default(0).describe('The factor that the cosine falls to'),
    })
    .refine(({ warmupSteps, warmupRatio }) => warmupSteps === 0 || warmupRatio === 0, {
      error: 'either `warmupSteps` or `warmupRatio` may be given, not both',
    }),
  create: ({ floor, ...rise }) =>
    warmup(rise, (progress) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2),
})
export default cosine
