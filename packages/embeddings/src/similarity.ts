import { type WordVectors, rowOf } from './word-vectors.js'

/** A word and its cosine similarity to the query, in [−1, 1]. */
export interface Neighbour {
  readonly word: string
  readonly cosine: number
}

/** Cosine similarity queries. All throw AttuneError `UNKNOWN_WORD`. A zero vector has cosine 0 with all others. */
export interface Similarity {
  /** Returns the cosine similarity of two words. */
  between(a: string, b: string): number
  /** Returns the nearest neighbours of a word, without itself, nearest first. Default: 10. */
  nearest(word: string, count?: number): Neighbour[]
  /**
   * Solves the analogy a : b = c : ? by 3CosAdd: returns the words nearest to b − a + c of normalized vectors, without these three.
   * Source: Mikolov, Yih and Zweig, Linguistic Regularities in Continuous Space Word Representations, 2013, section 4.
   */
  analogy(a: string, b: string, c: string, count?: number): Neighbour[]
}

/** Inverse L2 norm of each row; 0 for a row of zeros. */
function inverseNorms({ words, size, values }: WordVectors): Float64Array {
  return Float64Array.from(words, (_, row) => {
    let squares = 0
    for (let i = row * size; i < (row + 1) * size; i++) squares += values[i]! * values[i]!
    return squares === 0 ? 0 : 1 / Math.sqrt(squares)
  })
}

/** Inserts a candidate into the list of the `count` best, sorted in descending order. */
function insert(best: { row: number; cosine: number }[], count: number, row: number, cosine: number): void {
  if (best.length === count && cosine <= (best.at(-1)?.cosine ?? Infinity)) return
  const index = best.findIndex((other) => other.cosine < cosine)
  best.splice(index < 0 ? best.length : index, 0, { row, cosine })
  if (best.length > count) best.pop()
}

/**
 * Creates similarity queries over word vectors. Their norms are computed once, so later changes of the vectors are not seen.
 *
 * @example
 * ```ts
 * import { similarity, wordVectors } from '@attune/embeddings'
 * const vectors = wordVectors(['red', 'blue', 'bread'], 2, Float32Array.of(1, 0.1, 1, 0.2, 0, 1))
 * const { between, nearest } = similarity(vectors)
 * console.log(between('red', 'blue').toFixed(3)) // 0.995
 * console.log(nearest('red', 1).map(({ word }) => word)) // [ 'blue' ]
 * ```
 */
export function similarity(vectors: WordVectors): Similarity {
  const { words, size, values } = vectors
  const inverse = inverseNorms(vectors)
  const add = (sum: Float64Array, row: number, factor: number): void => {
    for (let i = 0; i < size; i++) sum[i]! += factor * inverse[row]! * values[row * size + i]!
  }
  const dot = (direction: Float64Array, row: number): number => {
    let sum = 0
    for (let i = 0; i < size; i++) sum += direction[i]! * values[row * size + i]!
    return sum * inverse[row]!
  }
  const search = (terms: readonly (readonly [row: number, factor: number])[], count: number): Neighbour[] => {
    const direction = new Float64Array(size)
    for (const [row, factor] of terms) add(direction, row, factor)
    const length = Math.hypot(...direction)
    const excluded = new Set(terms.map(([row]) => row))
    const best: { row: number; cosine: number }[] = []
    for (let row = 0; row < words.length; row++)
      if (!excluded.has(row)) insert(best, count, row, length === 0 ? 0 : dot(direction, row) / length)
    return best.map(({ row, cosine }) => ({ word: words[row]!, cosine }))
  }
  const rows = (...queried: string[]): number[] => queried.map((word) => rowOf(vectors, word))
  return {
    between(a, b) {
      const [one, other] = rows(a, b) as [number, number]
      const direction = new Float64Array(size)
      add(direction, one, 1)
      return dot(direction, other)
    },
    nearest: (word, count = 10) => search([[rowOf(vectors, word), 1]], count),
    analogy(a, b, c, count = 10) {
      const [from, to, other] = rows(a, b, c) as [number, number, number]
      return search([[from, -1], [to, 1], [other, 1]], count) // prettier-ignore
    },
  }
}
