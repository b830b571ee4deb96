import { kind } from '../kind.js'

/** Replaces the characters `[start, end)`, in UTF-16 code units, with `text`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Text cleaning. The edits are sorted and do not overlap, so that character spans can be moved along. Idempotent: a cleaned text
 * has no edits. Cleaners are saved with the task and also run in `predict`.
 */
export interface Cleaner {
  edits(text: string): readonly Edit[]
}

/** Text cleaning before tokenization. */
export const CLEANER = kind<Cleaner>('cleaner', 'chain')
