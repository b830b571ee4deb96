import type { SentenceModel } from './sentence-model.js'

type Vector = readonly number[]

/** Sum of a function of the values of two vectors at the same index. */
const total = (a: Vector, b: Vector, term: (x: number, y: number) => number): number =>
  a.reduce((sum, x, i) => sum + term(x, b[i]!), 0)

const dot = (a: Vector, b: Vector): number => total(a, b, (x, y) => x * y)

/** Length of a vector; 1 for a vector normalized in float32, whose length differs from 1 by rounding only. */
function lengthOf(a: Vector): number {
  const length = Math.sqrt(dot(a, a))
  return Math.abs(length - 1) < 1e-6 ? 1 : Math.max(length, 1e-12)
}

/** Similarity functions of two vectors, by their names in sentence-transformers; distances are negative. */
export const embeddingSimilarity: Readonly<Record<SentenceModel['similarity'], (a: Vector, b: Vector) => number>> = {
  cosine: (a, b) => dot(a, b) / (lengthOf(a) * lengthOf(b)),
  dot,
  euclidean: (a, b) => -Math.sqrt(total(a, b, (x, y) => (x - y) ** 2)),
  manhattan: (a, b) => -total(a, b, (x, y) => Math.abs(x - y)),
}
