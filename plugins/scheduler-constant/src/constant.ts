import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup } from '@attune/nn'
import { z } from 'zod'

/**
 * The factor rises from 0 to 1 over the warm-up and stays there: transformers' `get_constant_schedule_with_warmup`.
 * Near neighbour: linear falls towards 0 instead, which lets a run settle.
 */
export const constant = definePlugin({
  kind: SCHEDULER,
  name: 'constant',
  summary: 'Warm-up from 0 to 1, then no change',
  source: 'Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.2',
  options: z.strictObject({
    warmupSteps: z.int().min(0).default(0).describe('Steps over which the factor rises from 0 to 1'),
  }),
  create: ({ warmupSteps }) => warmup({ warmupSteps, warmupRatio: 0 }, () => 1),
})
export default constant
