import { z } from 'zod'
import { kind } from '../kind.js'
import type { Example } from './source.js'

/** The direction in which a score improves. */
export type Direction = 'maximize' | 'minimize'

/** A score, and its components: by class, by n-gram order, … */
export interface Score {
  readonly value: number
  readonly parts?: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/**
 * A fold over predictions. State is plain JSON, `init()` is neutral under `merge`, and neither the order of examples nor
 * their division into batches changes the result.
 */
export interface Metric<P = unknown, R = unknown, S = unknown> {
  /** The name that scores are kept under. */
  readonly name: string
  /** The view of predictions and references that is compared: `label`, `scores`, … */
  readonly compares: string
  readonly direction: Direction
  /** The minimum and the maximum value. */
  readonly range: readonly [number, number]
  /** Fields of the examples that it reads: groups of people, slices. Default: none. */
  readonly fields?: readonly string[]
  init(): S
  /** @param examples the examples' `fields`, where there are any */
  add(state: S, predictions: readonly P[], references: readonly R[], examples?: readonly Example[]): S
  merge(a: S, b: S): S
  result(state: S): Score
}

/** Options of every metric. */
const common = z.strictObject({
  of: z
    .string()
    .optional()
    .describe('The task whose predictions are scored, where there are several; default: the only one'),
})

/** Scores. */
export const METRIC = kind<Metric>('metric', 'many', { options: common })
