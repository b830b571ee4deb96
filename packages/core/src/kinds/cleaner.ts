import { kind } from '../kind.js'

/** Replaces the characters from `start` up to `end` (UTF-16 code units) by `text`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Cleans text. Edits are sorted and do not overlap, so that spans of the text can be moved with them. Idempotent: a cleaned text
 * has no edits. Cleaners are part of the saved task and run in `predict` too.
 */
export interface Cleaner {
  edits(text: string): readonly Edit[]
}

/** Text cleaning. */
export const CLEANER = kind<Cleaner>('cleaner', 'chain')
