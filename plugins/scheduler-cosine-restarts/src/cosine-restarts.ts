import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

/** Completed fraction, in [0, 1), of the cycle that `progress` falls in. */
function cycleProgress(progress: number, cycles: number, growth: number): number {
  if (growth === 1) return (progress * cycles) % 1
  // Cycles end where (growth^n − 1) / (growth^cycles − 1) of the steps are done.
  const done = progress * (growth ** cycles - 1) + 1
  const cycle = Math.floor(Math.log(done) / Math.log(growth) + 1e-9)
  return Math.max(0, (done / growth ** cycle - 1) / (growth - 1))
}

/**
 * Cosine decay with warm restarts, after a linear warmup from 0 to 1.
 *
 *     factor(step) = (step − 1) / warmup                                    while step − 1 < warmup
 *                    floor + (1 − floor) · (1 + cos(π · done)) / 2          from then on
 *
 * `done`, in [0, 1), is the completed fraction of the current cycle. The steps after the warmup are divided into `cycles` cycles, each
 * `growth` times as long as the one before (T_mult of the paper). With a growth of 1 and a floor of 0 it is transformers'
 * `get_cosine_with_hard_restarts_schedule_with_warmup`. Near neighbour: cosine has a single cycle.
 */
export const cosineRestarts = definePlugin({
  kind: SCHEDULER,
  name: 'cosine-restarts',
  summary: 'Cosine decay with warm restarts, after a linear warmup',
  source: 'Loshchilov and Hutter, SGDR, 2017, equation 5',
  options: withWarmup({
    cycles: z.int().min(1).max(1000).default(3).describe('Number of cycles; all but the first begin with a restart'),
    growth: z.number().min(1).max(10).default(1).describe('Length of a cycle as a multiple of the one before'),
    floor: z.number().min(0).max(1).default(0).describe('Factor at the end of each cycle'),
  }),
  create: ({ cycles, growth, floor, ...rise }) =>
    warmup(
      rise,
      (progress) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * cycleProgress(progress, cycles, growth)))) / 2,
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler cosine-restarts': typeof cosineRestarts
  }
}

export default cosineRestarts
