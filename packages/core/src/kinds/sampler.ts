import { kind } from '../kind.js'

/** The training examples as a sampler sees them. */
export interface SampledData {
  readonly count: number
  /** The group of an example (a task, a class, a language). */
  group(index: number): string
  /** The size of an example: characters of its text. */
  length(index: number): number
}

/** Orders the examples of an epoch: shuffled, by length, by difficulty, in proportion to a temperature. */
export interface Sampler {
  /** The field that holds an example's group. Default: none, every group is `''`. */
  readonly by?: string
  /** True if consecutive examples form a batch as they come, so that batches are not bucketed by length again. */
  readonly batches?: boolean
  /**
   * The indices of an epoch's examples, in order; an index may come more than once, or not at all. The steps of an epoch follow from
   * their number, which must be the same in every epoch.
   * @param epoch counted from 0
   * @param random uniform numbers in [0, 1)
   */
  order(epoch: number, data: SampledData, random: () => number): Iterable<number>
}

/** The order of the training examples. Default: shuffled. */
export const SAMPLER = kind<Sampler>('sampler', 'one')
