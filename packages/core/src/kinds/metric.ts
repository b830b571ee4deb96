import { z } from 'zod'
import { kind } from '../kind.js'
import type { Example } from './source.js'

/** The direction in which a score improves. */
export type Direction = 'maximize' | 'minimize'

/** A score and its breakdown: by class, by n-gram order, … */
export interface Score {
  readonly value: number
  readonly parts?: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/**
 * An evaluation metric: a fold over predictions and references. The state is plain JSON, `init()` is the neutral element of
 * `merge`, and the result does not depend on the order of the examples or on their batches.
 */
export interface Metric<P = unknown, R = unknown, S = unknown> {
  /** The name of the score. */
  readonly name: string
  /** The view of predictions and references to compare: `label`, `scores`, … */
  readonly compares: string
  readonly direction: Direction
  /** The minimum and maximum value. */
  readonly range: readonly [number, number]
  /** Fields of the examples that the metric reads: demographic groups, slices. Default: none. */
  readonly fields?: readonly string[]
  init(): S
  /** @param examples the `fields` of the examples, if the metric has any */
  add(state: S, predictions: readonly P[], references: readonly R[], examples?: readonly Example[]): S
  merge(a: S, b: S): S
  result(state: S): Score
}

/** Options of every metric. */
export const metricOptions = z.strictObject({
  of: z.string().optional().describe('Task whose predictions are scored, if there are several; default: the only one'),
})

/** Evaluation metrics. */
export const METRIC = kind<Metric>('metric', 'many', { options: metricOptions })
