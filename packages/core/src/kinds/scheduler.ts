import { kind } from '../kind.js'

/**
 * A number over time: the factor, in [0, 1], by which the base learning rate is multiplied at `step` (counted from 1)
 * of `steps`. Pure, and defined for every whole step from 1 to `steps`.
 */
export type Scheduler = (step: number, steps: number) => number

/** The learning rate over time. */
export const SCHEDULER = kind<Scheduler>('scheduler', 'one')
