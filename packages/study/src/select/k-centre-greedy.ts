import { AttuneError } from '@attune/core'

/** A vector of numbers. */
export type Vector = readonly number[]

const squaredDistance = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0)

/**
 * k-centre greedy selection (core-set): each choice is the vector farthest from all that are labelled or chosen, by Euclidean distance.
 * The first choice without labelled vectors is the first vector. Needs `count · vectors` distances.
 * Source: Sener and Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, 2018, algorithm 1.
 * @param labelled vectors of labelled examples; default: none
 * @returns indices of at most `count` vectors, the most distant first
 * @throws AttuneError `BAD_ARGUMENT` for vectors of different lengths
 *
 * @example
 * ```ts
 * import { kCentreGreedy } from '@attune/study'
 * console.log(kCentreGreedy([[0], [1], [10], [5]], 2, [[0]])) // [ 2, 3 ]
 * ```
 */
export function kCentreGreedy(vectors: readonly Vector[], count: number, labelled: readonly Vector[] = []): number[] {
  const width = vectors[0]?.length
  const other = [...vectors, ...labelled].find(({ length }) => length !== width)
  if (other !== undefined)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `kCentreGreedy: expected vectors of length ${width}, got one of length ${other.length}`,
      'Make all vectors with the same model.',
    )
  const nearest = vectors.map((vector) =>
    labelled.reduce((minimum, each) => Math.min(minimum, squaredDistance(vector, each)), Infinity),
  )
  const chosen: number[] = []
  while (chosen.length < Math.min(count, vectors.length)) {
    let farthest = 0
    for (const [i, distance] of nearest.entries()) if (distance > nearest[farthest]!) farthest = i
    chosen.push(farthest)
    for (const [i, vector] of vectors.entries())
      nearest[i] = Math.min(nearest[i]!, squaredDistance(vector, vectors[farthest]!))
    for (const i of chosen) nearest[i] = -1 // never twice, even if vectors are equal
  }
  return chosen
}
