import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

/**
 * Step decay after a linear warmup from 0 to 1: the factor is multiplied by `gamma` at each drop.
 *
 *     factor(step) = (step − 1) / warmup                    while step − 1 < warmup
 *                    gamma^⌊(step − 1 − warmup) / every⌋    from then on
 *
 * With `milestones`, the exponent is the number of milestones up to step − 1 − warmup. These are PyTorch's StepLR and MultiStepLR with one
 * update per epoch: `factor(t)` is their rate after `t − 1` calls of `step()`. Near neighbour: exponential decays evenly.
 */
export const step = definePlugin({
  kind: SCHEDULER,
  name: 'step',
  summary: 'Drops by a factor every so many steps or at milestones',
  source: 'He et al., Deep Residual Learning for Image Recognition, 2016, section 3.4',
  options: withWarmup({
    gamma: z.number().positive().max(1).default(0.1).describe('Factor of each drop'),
    every: z.int().min(1).optional().describe('Steps between drops. Default: a third of all steps, rounded up'),
    milestones: z
      .array(z.int().min(1))
      .min(1)
      .optional()
      .describe('Steps after the warmup at which the rate drops, in place of `every`'),
  }),
  create: ({ gamma, every, milestones, ...rise }) =>
    warmup(
      rise,
      (_, since, remaining) =>
        gamma **
        (milestones?.filter((milestone) => milestone <= since).length ??
          Math.floor(since / (every ?? Math.ceil(remaining / 3)))),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler step': typeof step
  }
}

export default step
