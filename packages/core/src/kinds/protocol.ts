import { kind } from '../kind.js'

/** One division of a dataset: indices of examples, by split. */
export interface Fold {
  readonly train: readonly number[]
  readonly validation: readonly number[]
  /** Examples for the final evaluation, as in nested cross-validation. */
  readonly test?: readonly number[]
}

/**
 * Divides a dataset once or several times. `groups` holds the class of each example (for stratifying) or is empty;
 * `random` gives uniform numbers in [0, 1).
 */
export interface Protocol {
  /** The field whose values are the classes to keep in proportion, or the groups to keep together. Default: none. */
  readonly stratifyBy?: string
  split(count: number, groups: readonly string[], random: () => number): readonly Fold[]
}

/** Division into splits. */
export const PROTOCOL = kind<Protocol>('protocol', 'one')
