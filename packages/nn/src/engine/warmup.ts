import type { Scheduler } from '@attune/core'

/** How long a scheduler warms up: a number of steps, or a share of all steps in [0, 1), which counts when above 0. */
export interface WarmupOptions {
  readonly warmupSteps: number
  readonly warmupRatio: number
}

/**
 * A scheduler that rises from 0 to 1 in equal steps and then follows `decay`, a function of the share of the remaining
 * steps that is done, in [0, 1).
 *
 *     factor(step) = (step − 1) / warmup                               while step − 1 < warmup
 *                    decay((step − 1 − warmup) / (steps − warmup))     from then on
 *
 * Steps count from 1, so `step − 1` updates are done before this one: that is the number that the schedules of the
 * transformers library are functions of. As there, the first step of a warm-up has factor 0 and changes no weight, the
 * factor 1 comes at step `warmup + 1`, and a share is rounded up to whole steps.
 */
export const warmup =
  ({ warmupSteps, warmupRatio }: WarmupOptions, decay: (progress: number) => number): Scheduler =>
  (step, steps) => {
    const done = step - 1
    const rising = warmupRatio > 0 ? Math.ceil(steps * warmupRatio) : warmupSteps
    return done < rising ? done / rising : decay((done - rising) / (steps - rising))
  }
