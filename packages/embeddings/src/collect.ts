import { AttuneError, excerpt } from '@attune/core'
import type { WordVectors } from './word-vectors.js'

/** The longest vector that is read. */
export const LARGEST_SIZE = 10_000
/** Numbers that one array can hold. */
const MOST_NUMBERS = 2 ** 32 - 1

/** Refuses a file. */
export const refuseVectors = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_WORD_VECTORS',
    `${where} is not a sound file of word vectors: ${why}`,
    'Fetch or write the file again, or name its `format`; nothing was loaded from it.',
  )
}

/** A word out of a file, short enough for a message. */
export const shown = (word: string): string => excerpt(word, 60)

/** Takes words with their vectors as they are read. */
export interface Collected {
  readonly count: number
  /** Takes a word. @returns the row that its numbers go to */
  add(word: string, where: string): Float32Array
  vectors(): WordVectors
}

/**
 * Collects vectors of one size, of which nobody knows yet how many there will be: what a file says of its length is no reason to
 * take memory.
 */
export function collected(size: number, where: string): Collected {
  if (!(size >= 1 && size <= LARGEST_SIZE))
    refuseVectors(where, `its vectors have ${size} numbers; 1 to ${LARGEST_SIZE} are read`)
  const rows = new Map<string, number>()
  let values = new Float32Array(size * 64)
  return {
    get count() {
      return rows.size
    },
    add(word, place) {
      if (word === '') refuseVectors(place, 'a vector has no word')
      if (rows.has(word)) refuseVectors(place, `${shown(word)} is there twice`)
      const start = rows.size * size
      if (start + size > values.length) {
        if (values.length === MOST_NUMBERS) refuseVectors(place, `it has more than ${MOST_NUMBERS} numbers`)
        const wider = new Float32Array(Math.min(MOST_NUMBERS, values.length * 2))
        wider.set(values)
        values = wider
      }
      rows.set(word, rows.size)
      return values.subarray(start, start + size)
    },
    vectors: () => ({ words: [...rows.keys()], rows, size, values: values.slice(0, rows.size * size) }),
  }
}
