import { kind } from '../kind.js'
import type { Example } from './source.js'

/**
 * Data augmentation: maps one example to several. The result replaces the example: include the original to keep it, return an
 * empty list to drop it. Pure except for `random`, which returns uniform numbers in [0, 1).
 */
export interface Augmenter {
  augment(example: Example, random: () => number): readonly Example[]
}

/** Data augmentation of the training split. */
export const AUGMENTER = kind<Augmenter>('augmenter', 'chain')
