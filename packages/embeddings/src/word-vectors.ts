import { AttuneError, excerpt, nearest, shortened } from '@attune/core'

/** A table of word vectors. */
export interface WordVectors {
  /** The words, without duplicates; sorted by frequency in trained vectors. */
  readonly words: readonly string[]
  /** The row index of each word. */
  readonly rows: ReadonlyMap<string, number>
  /** The dimension of the vectors. */
  readonly size: number
  /** `[words, size]`, row-major. */
  readonly values: Float32Array
}

/** Number of words to search for suggestions. */
const MAXIMUM_SEARCHED = 50_000

/**
 * Creates word vectors from distinct words and their rows, `[words, size]`.
 *
 * @example
 * ```ts
 * import { vectorOf, wordVectors } from '@attune/embeddings'
 * const vectors = wordVectors(['red', 'blue'], 2, Float32Array.of(1, 0, 0, 1))
 * console.log(vectorOf(vectors, 'blue')) // Float32Array(2) [ 0, 1 ]
 * ```
 */
export const wordVectors = (words: readonly string[], size: number, values: Float32Array): WordVectors => ({
  words,
  rows: new Map(words.map((word, row) => [word, row])),
  size,
  values,
})

/** Returns the row index of a word. @throws AttuneError `UNKNOWN_WORD` with similarly spelled words */
export function rowOf({ words, rows }: WordVectors, word: string): number {
  const row = rows.get(word)
  if (row !== undefined) return row
  const near = nearest(word, words.slice(0, MAXIMUM_SEARCHED))
  throw new AttuneError(
    'UNKNOWN_WORD',
    `expected one of the ${words.length} words with a vector, got ${excerpt(word)}`,
    near.length > 0
      ? `Did you mean ${near.map((each) => shortened(each)).join(' or ')}?`
      : 'Use the spelling of the vectors, often lowercase.',
  )
}

/** Returns the vector of a word, as a view of its row. @throws AttuneError `UNKNOWN_WORD` */
export const vectorOf = (vectors: WordVectors, word: string): Float32Array => {
  const start = rowOf(vectors, word) * vectors.size
  return vectors.values.subarray(start, start + vectors.size)
}
