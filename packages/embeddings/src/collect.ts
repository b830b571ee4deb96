import { AttuneError, excerpt } from '@attune/core'
import type { WordVectors } from './word-vectors.js'

/** Maximum dimension of vectors in a file. */
const MAXIMUM_SIZE = 10_000
/** Maximum length of a typed array. */
const MAXIMUM_VALUES = 2 ** 32 - 1

/** Throws `BAD_WORD_VECTORS`. */
export const rejectVectors = (where: string, why: string): never => {
  throw new AttuneError(
    'BAD_WORD_VECTORS',
    `${where} is not a valid file of word vectors: ${why}`,
    'Download or write the file again, or set its `format`; nothing was loaded from it.',
  )
}

/** Quotes an untrusted word for a message, truncated. */
export const quoted = (word: string): string => excerpt(word, 60)

/** Collects words with their vectors. */
export interface VectorCollector {
  readonly count: number
  /** Adds a word. @returns the row to fill with its vector */
  add(word: string, where: string): Float32Array
  vectors(): WordVectors
}

/**
 * Creates a collector of vectors of one dimension. Memory grows with the words read; the count that a file declares is not trusted.
 */
export function vectorCollector(size: number, where: string): VectorCollector {
  if (!(size >= 1 && size <= MAXIMUM_SIZE))
    rejectVectors(where, `its vectors have ${size} numbers, expected 1 to ${MAXIMUM_SIZE}`)
  const rows = new Map<string, number>()
  let values = new Float32Array(size * 64)
  return {
    get count() {
      return rows.size
    },
    add(word, location) {
      if (word === '') rejectVectors(location, 'a vector has no word')
      if (rows.has(word)) rejectVectors(location, `it has the word ${quoted(word)} twice`)
      const start = rows.size * size
      if (start + size > values.length) {
        if (values.length === MAXIMUM_VALUES) rejectVectors(location, `it has more than ${MAXIMUM_VALUES} numbers`)
        const grown = new Float32Array(Math.min(MAXIMUM_VALUES, values.length * 2))
        grown.set(values)
        values = grown
      }
      rows.set(word, rows.size)
      return values.subarray(start, start + size)
    },
    vectors: () => ({ words: [...rows.keys()], rows, size, values: values.slice(0, rows.size * size) }),
  }
}
