import { kind } from '../kind.js'
import type { Example } from './source.js'

/**
 * Makes new examples of one. The result takes the example's place: it holds the example itself if that is to be kept, and is empty to
 * drop it. Pure but for `random`, which gives uniform numbers in [0, 1).
 */
export interface Augmenter {
  augment(example: Example, random: () => number): readonly Example[]
}

/** Augmentation of the training examples. */
export const AUGMENTER = kind<Augmenter>('augmenter', 'chain')
