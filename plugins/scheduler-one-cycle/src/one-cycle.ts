import { SCHEDULER, definePlugin } from '@attune/core'
import { z } from 'zod'

const CURVES = {
  cosine: (from: number, to: number, progress: number) => to + ((from - to) * (1 + Math.cos(Math.PI * progress))) / 2,
  linear: (from: number, to: number, progress: number) => from + (to - from) * progress,
}

/**
 * One-cycle schedule: rises from `start` to 1 over a fraction `rise` of the run, then falls to `end` at the last step.
 *
 *     top = rise · steps − 1
 *     factor(step) = curve(start → 1, (step − 1) / top)                           while step − 1 ≤ top
 *                    curve(1 → end, (step − 1 − top) / (steps − 1 − top))         from then on
 *
 * This is PyTorch's OneCycleLR with two phases, `start` = 1 / div_factor and `end` = start / final_div_factor, which follows fastai in
 * falling by a cosine to far below the start; the paper falls linearly to the start first. The momentum is not cycled. Near neighbour:
 * cosine with a warmup starts at 0.
 */
export const oneCycle = definePlugin({
  kind: SCHEDULER,
  name: 'one-cycle',
  summary: 'One cycle: up to the peak rate, then down to almost 0',
  source: 'Smith and Topin, Super-Convergence, 2018, section 3; PyTorch, OneCycleLR',
  options: z.strictObject({
    rise: z.number().positive().lt(1).default(0.3).describe('Fraction of the run over which the factor rises to 1'),
    start: z.number().min(0).max(1).default(0.04).describe('Factor at the first step'),
    end: z.number().min(0).max(1).default(4e-6).describe('Factor at the last step'),
    curve: z.enum(['cosine', 'linear']).default('cosine').describe('Curve of both phases'),
  }),
  create:
    ({ rise, start, end, curve }) =>
    (step, steps) => {
      const [done, top] = [step - 1, rise * steps - 1]
      const bend = CURVES[curve]
      if (steps === 1 || (top <= 0 && done === 0)) return 1
      return done <= top
        ? bend(start, 1, done / top)
        : bend(1, end, (done - Math.max(top, 0)) / (steps - 1 - Math.max(top, 0)))
    },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler one-cycle': typeof oneCycle
  }
}

export default oneCycle
