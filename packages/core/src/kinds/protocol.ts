import { kind } from '../kind.js'

/** One division of a dataset: positions of examples, by split. */
export interface Fold {
  readonly train: readonly number[]
  readonly validation: readonly number[]
}

/**
 * How a dataset is divided and how often. `groups` names the class of each example (for stratifying) or is empty;
 * `random` gives uniform numbers in [0, 1).
 */
export interface Protocol {
  /** The field whose values name the classes to keep in proportion; none to divide without looking. */
  readonly stratifyBy?: string
  split(count: number, groups: readonly string[], random: () => number): readonly Fold[]
}

/** Division into splits. */
export const PROTOCOL = kind<Protocol>('protocol', 'one')
