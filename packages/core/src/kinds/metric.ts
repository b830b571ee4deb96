import { kind } from '../kind.js'

/** Which way a score is better. */
export type Direction = 'maximize' | 'minimize'

/** A score, and what it is made of: by class, by n-gram order, … */
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
  /** The least and the greatest value. */
  readonly range: readonly [number, number]
  init(): S
  add(state: S, predictions: readonly P[], references: readonly R[]): S
  merge(a: S, b: S): S
  result(state: S): Score
}

/** Scores. */
export const METRIC = kind<Metric>('metric', 'many')
