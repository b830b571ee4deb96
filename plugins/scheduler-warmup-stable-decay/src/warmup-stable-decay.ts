import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

const DECAYS = {
  linear: (progress: number) => 1 - progress,
  cosine: (progress: number) => (1 + Math.cos(Math.PI * progress)) / 2,
  'square-root': (progress: number) => 1 - Math.sqrt(progress),
}

/**
 * Warmup, constant rate, then decay over the last steps (the trapezoidal schedule).
 *
 *     factor(step) = (step − 1) / warmup                            while step − 1 < warmup
 *                    1                                              until the last `decaySteps` steps
 *                    floor + (1 − floor) · decay(progress)          from then on, with progress from 0 to 1
 *
 * `decay` is 1 − progress (linear), (1 + cos(π · progress)) / 2 (cosine) or 1 − √progress (square root). This is transformers'
 * `get_wsd_schedule`; the rate before the decay does not depend on the number of steps, so that a run can be prolonged from there. Near
 * neighbour: cosine must know the number of steps from the start.
 */
export const warmupStableDecay = definePlugin({
  kind: SCHEDULER,
  name: 'warmup-stable-decay',
  summary: 'Constant rate between a linear warmup and a short decay',
  source:
    'Hu et al., MiniCPM, 2024, section 4.2; Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, 2024, equation 1',
  options: withWarmup({
    decayRatio: z
      .number()
      .positive()
      .max(1)
      .default(0.1)
      .describe('Decay steps as a fraction of the steps after the warmup, rounded up'),
    decaySteps: z.int().min(1).optional().describe('Number of decay steps, in place of `decayRatio`'),
    decay: z.enum(['linear', 'cosine', 'square-root']).default('square-root').describe('Curve of the decay'),
    floor: z.number().min(0).max(1).default(0).describe('Factor at the end of the decay'),
  }),
  create: ({ decayRatio, decaySteps, decay, floor, ...rise }) =>
    warmup(rise, (_, since, remaining) => {
      const falling = Math.min(remaining, decaySteps ?? Math.ceil(decayRatio * remaining))
      const progress = (since - (remaining - falling)) / falling
      return progress <= 0 ? 1 : floor + (1 - floor) * DECAYS[decay](progress)
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler warmup-stable-decay': typeof warmupStableDecay
  }
}

export default warmupStableDecay
