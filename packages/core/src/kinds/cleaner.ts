import { kind } from '../kind.js'

/** A cleaned text and how many changes were made to it. */
export interface Cleaned {
  readonly text: string
  readonly changes: number
}

/** Cleans text. Idempotent: cleaning a cleaned text changes nothing. */
export interface Cleaner {
  clean(text: string): Cleaned
}

/** Cleaner text. */
export const CLEANER = kind<Cleaner>('cleaner', 'chain')
