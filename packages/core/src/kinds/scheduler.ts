import { z } from 'zod'
import { kind } from '../kind.js'

/**
 * A number over time: the factor, in [0, 1], by which the base learning rate is multiplied at `step` (counted from 1)
 * of `steps`. Pure, and defined for every whole step from 1 to `steps`.
 */
export type Scheduler = (step: number, steps: number) => number

/** Options of every scheduler. */
const common = z.strictObject({
  from: z.number().default(1).describe('The value where the factor is 1: of the learning rate, as a multiple of it'),
  to: z.number().default(0).describe('The value where the factor is 0'),
})

/** The learning rate, or another number, over time. */
export const SCHEDULER = kind<Scheduler>('scheduler', 'one', { options: common })
