import type { Scheduler } from '@attune/core'
import { z } from 'zod'

const warmupShape = {
  warmupSteps: z
    .int()
    .min(0)
    .default(0)
    .describe('Number of warmup steps, over which the factor rises linearly from 0 to 1'),
  warmupRatio: z.number().min(0).lt(1).default(0).describe('Warmup steps as a fraction of all steps, rounded up'),
}

/**
 * Learning-rate warmup: a number of steps, or a fraction of all steps in [0, 1), which takes precedence when above 0.
 */
export interface WarmupOptions {
  readonly warmupSteps: number
  readonly warmupRatio: number
}

/** Schema of a scheduler's options: `warmupSteps` or `warmupRatio`, not both, and those of `shape`. */
export const withWarmup = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject({ ...warmupShape, ...shape }).refine(
    (options) => {
      const { warmupSteps, warmupRatio } = options as WarmupOptions
      return warmupSteps === 0 || warmupRatio === 0
    },
    { error: 'set either `warmupSteps` or `warmupRatio`, not both' },
  )

/**
 * Scheduler with linear warmup from 0 to 1, followed by `decay`, a function of the completed fraction of the
 * remaining steps, in [0, 1), of the number of steps since the warmup, from 0, and of the number of steps that follow it.
 *
 *     factor(step) = (step − 1) / warmup                               while step − 1 < warmup
 *                    decay((step − 1 − warmup) / (steps − warmup))     from then on
 *
 * Steps count from 1, so `step − 1` updates precede this one; the schedules of the Hugging Face transformers library
 * (Python) are functions of that number. As in transformers, the first warmup step has factor 0 and changes no
 * weight, factor 1 is reached at step `warmup + 1`, and a fraction is rounded up to an integer number of steps.
 *
 * @example
 * ```ts
 * import { warmup } from '@attune/nn'
 * const schedule = warmup({ warmupSteps: 2, warmupRatio: 0 }, (progress) => 1 - progress)
 * console.log([1, 2, 3, 4, 5, 6].map((step) => schedule(step, 6))) // [ 0, 0.5, 1, 0.75, 0.5, 0.25 ]
 * ```
 */
export const warmup =
  (
    { warmupSteps, warmupRatio }: WarmupOptions,
    decay: (progress: number, since: number, remaining: number) => number,
  ): Scheduler =>
  (step, steps) => {
    const done = step - 1
    const rising = warmupRatio > 0 ? Math.ceil(steps * warmupRatio) : warmupSteps
    const [since, remaining] = [done - rising, steps - rising]
    return since < 0 ? done / rising : decay(since / remaining, since, remaining)
  }
