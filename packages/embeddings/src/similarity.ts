import { type WordVectors, rowOf } from './word-vectors.js'

/** A word and its cosine, in [−1, 1], with what was asked about. */
export interface Neighbour {
  readonly word: string
  readonly cosine: number
}

/** Questions to word vectors. All throw AttuneError `UNKNOWN_WORD`. A vector of zeros has cosine 0 with all. */
export interface Similarity {
  /** The cosine of two words. */
  between(a: string, b: string): number
  /** The words nearest to one, without itself, nearest first; 10 unless said. */
  nearest(word: string, count?: number): Neighbour[]
  /**
   * What is to `c` as `b` is to `a`: the words nearest to b − a + c, each of length 1, without these three (3CosAdd).
   * Source: Mikolov, Yih and Zweig, Linguistic Regularities in Continuous Space Word Representations, 2013, section 4.
   */
  analogy(a: string, b: string, c: string, count?: number): Neighbour[]
}

/** One over the length of each row; 0 for a row of zeros. */
function inverseLengths({ words, size, values }: WordVectors): Float64Array {
  return Float64Array.from(words, (_, row) => {
    let squares = 0
    for (let i = row * size; i < (row + 1) * size; i++) squares += values[i]! * values[i]!
    return squares === 0 ? 0 : 1 / Math.sqrt(squares)
  })
}

/** Puts a number into its place in a short list that falls; the last falls out. */
function insert(best: { row: number; cosine: number }[], count: number, row: number, cosine: number): void {
  if (best.length === count && cosine <= (best.at(-1)?.cosine ?? Infinity)) return
  const place = best.findIndex((other) => other.cosine < cosine)
  best.splice(place < 0 ? best.length : place, 0, { row, cosine })
  if (best.length > count) best.pop()
}

/** Prepares word vectors for questions: computes their lengths, once. Later changes of the vectors are not seen. */
export function similarity(vectors: WordVectors): Similarity {
  const { words, size, values } = vectors
  const inverse = inverseLengths(vectors)
  const add = (sum: Float64Array, row: number, factor: number): void => {
    for (let i = 0; i < size; i++) sum[i]! += factor * inverse[row]! * values[row * size + i]!
  }
  const dot = (direction: Float64Array, row: number): number => {
    let sum = 0
    for (let i = 0; i < size; i++) sum += direction[i]! * values[row * size + i]!
    return sum * inverse[row]!
  }
  const search = (asked: readonly (readonly [row: number, factor: number])[], count: number): Neighbour[] => {
    const direction = new Float64Array(size)
    for (const [row, factor] of asked) add(direction, row, factor)
    const length = Math.hypot(...direction)
    const left = new Set(asked.map(([row]) => row))
    const best: { row: number; cosine: number }[] = []
    for (let row = 0; row < words.length; row++)
      if (!left.has(row)) insert(best, count, row, length === 0 ? 0 : dot(direction, row) / length)
    return best.map(({ row, cosine }) => ({ word: words[row]!, cosine }))
  }
  const rows = (...asked: string[]): number[] => asked.map((word) => rowOf(vectors, word))
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
