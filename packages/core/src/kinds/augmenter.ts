import { kind } from '../kind.js'
import type { Example } from './source.js'

/** Makes new examples of one; none, to drop it. Pure but for `random`, which gives uniform numbers in [0, 1). */
export interface Augmenter {
  augment(example: Example, random: () => number): readonly Example[]
}

/** New examples from old. */
export const AUGMENTER = kind<Augmenter>('augmenter', 'chain')
