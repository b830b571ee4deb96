import { kind } from '../kind.js'
import type { Example } from './source.js'

/** The decision on one example. */
export interface Filtered<S> {
  readonly state: S
  readonly keep: boolean
  /** The reason for dropping the example, for the log. */
  readonly because?: string
}

/**
 * Drops examples: duplicates, other languages, outliers. A fold over the examples in source order; the state is private to the
 * filter.
 */
export interface Filter<S = unknown> {
  init(): S
  add(state: S, example: Example): Filtered<S>
}

/** Filtering of examples. */
export const FILTER = kind<Filter>('filter', 'chain')
