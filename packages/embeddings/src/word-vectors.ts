import { AttuneError, excerpt, nearest, shortened } from '@attune/core'

/** A vector for each of some words. */
export interface WordVectors {
  /** No word is there twice; of trained vectors the most frequent comes first. */
  readonly words: readonly string[]
  /** The row of each word. */
  readonly rows: ReadonlyMap<string, number>
  /** Numbers of a vector. */
  readonly size: number
  /** `[words, size]`, row after row. */
  readonly values: Float32Array
}

/** More words than this are not searched for one that was misspelt. */
const MOST_SEARCHED = 50_000

/** Word vectors of words, none of which is there twice, and their rows. */
export const wordVectors = (words: readonly string[], size: number, values: Float32Array): WordVectors => ({
  words,
  rows: new Map(words.map((word, row) => [word, row])),
  size,
  values,
})

/** The row of a word. @throws AttuneError `UNKNOWN_WORD` with the words that are spelt alike */
export function rowOf({ words, rows }: WordVectors, word: string): number {
  const row = rows.get(word)
  if (row !== undefined) return row
  const near = nearest(word, words.slice(0, MOST_SEARCHED))
  throw new AttuneError(
    'UNKNOWN_WORD',
    `a word must be among the ${words.length} that have vectors, got ${excerpt(word)}`,
    near.length > 0
      ? `Spelt alike: ${near.map((each) => shortened(each)).join(', ')}.`
      : 'Spell it as the vectors do: often in lower case.',
  )
}

/** The vector of a word, a view of its row. @throws AttuneError `UNKNOWN_WORD` */
export const vectorOf = (vectors: WordVectors, word: string): Float32Array => {
  const start = rowOf(vectors, word) * vectors.size
  return vectors.values.subarray(start, start + vectors.size)
}
