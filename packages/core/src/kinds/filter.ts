import { kind } from '../kind.js'
import type { Example } from './source.js'

/** The fate of one example. */
export interface Filtered<S> {
  readonly state: S
  readonly keep: boolean
  /** The reason for leaving it out, for the record. */
  readonly because?: string
}

/** Leaves out examples: duplicates, other languages, outliers. A fold in the order of the source; state is the filter's own. */
export interface Filter<S = unknown> {
  init(): S
  add(state: S, example: Example): Filtered<S>
}

/** Filtering of examples. */
export const FILTER = kind<Filter>('filter', 'chain')
