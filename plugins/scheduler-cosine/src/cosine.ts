import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

/**
 * Cosine decay towards `floor` after a linear warmup from 0 to 1.
 *
 *     progress = (step − 1 − warmup) / (steps − warmup)
 *     factor(step) = (step − 1) / warmup                                        while step − 1 < warmup
 *                    floor + (1 − floor) · (1 + cos(π · progress)) / 2          from then on
 *
 * This is `get_cosine_schedule_with_warmup` of transformers, and with a floor `get_cosine_with_min_lr_schedule_with_warmup`: `factor(t)`
 * is the value of its LambdaLR at `t − 1`, the rate of the t-th update. So with a warmup the first update has factor 0, and the last one
 * is a little above the floor. Near neighbour: linear decays evenly. The restarts of the paper are not implemented.
 */
export const cosine = definePlugin({
  kind: SCHEDULER,
  name: 'cosine',
  summary: 'Cosine decay after a linear warmup, down to a floor',
  source: 'Loshchilov and Hutter, SGDR, 2017, equation 5, without restarts',
  options: withWarmup({
    floor: z.number().min(0).max(1).default(0).describe('Factor at the end of the decay'),
  }),
  create: ({ floor, ...rise }) =>
    warmup(rise, (progress) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler cosine': typeof cosine
  }
}

export default cosine
