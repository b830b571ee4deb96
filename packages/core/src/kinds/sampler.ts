import { kind } from '../kind.js'

/** The training examples, as passed to a sampler. */
export interface SampledData {
  readonly count: number
  /** The batch size, for samplers that form batches. */
  readonly batchSize: number
  /** Returns the group of an example (a task, a class, a language). */
  group(index: number): string
  /** Returns the length of an example, in characters of its text. */
  length(index: number): number
}

/** Orders the examples of an epoch: shuffled, by length, by difficulty, by temperature sampling. */
export interface Sampler {
  /** The field of the group. Default: none; the group of every example is `''`. */
  readonly by?: string
  /**
   * True if consecutive examples of a group form the batches; they are then not bucketed by length. `mixed`: consecutive examples,
   * whatever their groups.
   */
  readonly batches?: boolean | 'mixed'
  /**
   * Returns the indices of the examples of an epoch, in order; an index may occur several times or never. Their number sets the
   * number of steps per epoch and must be the same in every epoch.
   * @param epoch from 0
   * @param random uniform numbers in [0, 1)
   */
  order(epoch: number, data: SampledData, random: () => number): Iterable<number>
}

/** Sampling order of the training examples. Default: shuffled. */
export const SAMPLER = kind<Sampler>('sampler', 'one')
