import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

/**
 * Exponential decay after a linear warmup from 0 to 1.
 *
 *     factor(step) = (step − 1) / warmup                       while step − 1 < warmup
 *                    gamma^((step − 1 − warmup) / every)       from then on
 *
 * With `every` 1 it is PyTorch's ExponentialLR, called once per update. Near neighbours: step drops at intervals; cosine ends at a floor,
 * whatever the number of steps.
 */
export const exponential = definePlugin({
  kind: SCHEDULER,
  name: 'exponential',
  summary: 'Exponential decay after a linear warmup',
  source: 'PyTorch, torch.optim.lr_scheduler.ExponentialLR',
  options: withWarmup({
    gamma: z.number().positive().max(1).default(0.1).describe('Factor over `every` steps'),
    every: z
      .int()
      .min(1)
      .optional()
      .describe('Steps over which the rate is multiplied by `gamma`. Default: all steps after the warmup'),
  }),
  create: ({ gamma, every, ...rise }) => warmup(rise, (_, since, remaining) => gamma ** (since / (every ?? remaining))),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler exponential': typeof exponential
  }
}

export default exponential
