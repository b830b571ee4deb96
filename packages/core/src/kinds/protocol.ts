import { kind } from '../kind.js'

/** One partition of a dataset: the indices of the examples of each split. */
export interface Fold {
  readonly train: readonly number[]
  readonly validation: readonly number[]
  /** Held-out examples for the final evaluation, as in nested cross-validation. */
  readonly test?: readonly number[]
}

/**
 * An evaluation protocol: partitions a dataset once (holdout) or several times (cross-validation). `groups` holds the class or
 * group of each example, or is empty; `random` returns uniform numbers in [0, 1).
 */
export interface Protocol {
  /** The field to stratify by, or of the groups to keep in one split. Default: none. */
  readonly stratifyBy?: string
  split(count: number, groups: readonly string[], random: () => number): readonly Fold[]
}

/** Partitioning into splits. */
export const PROTOCOL = kind<Protocol>('protocol', 'one')
