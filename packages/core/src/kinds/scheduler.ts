import { z } from 'zod'
import { kind } from '../kind.js'

/**
 * A schedule: the factor, in [0, 1], of the base learning rate at `step` (from 1) of `steps`. Pure, and defined for every integer
 * step from 1 to `steps`.
 */
export type Scheduler = (step: number, steps: number) => number

/** Options of every scheduler. */
export const schedulerOptions = z.strictObject({
  from: z.number().default(1).describe('Value at factor 1; for the learning rate, a multiple of the base rate'),
  to: z.number().default(0).describe('Value at factor 0'),
})

/** Schedules of the learning rate or of another option. */
export const SCHEDULER = kind<Scheduler>('scheduler', 'one', { options: schedulerOptions })
