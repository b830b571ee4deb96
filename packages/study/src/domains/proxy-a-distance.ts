import { AttuneError } from '@attune/core'
import { classProbabilities, fitLogisticRegression } from '@attune/trainer'

/** Proxy A-distance of two domains, and the error that it is computed from. */
export interface ProxyADistance {
  /** 2 · (1 − 2 · error): 2 for domains that a linear classifier separates, about 0 (also below) for equal ones. */
  readonly distance: number
  /** Held-out error of the classifier of domains, the mean of both domains, in [0, 1]. */
  readonly error: number
}

/** A row with its domain as class id: 0 for the source, 1 for the target. */
interface Row {
  readonly vector: ArrayLike<number>
  readonly label: 0 | 1
}

/** Centres vectors and divides them by their root mean square, both of the training rows, so that the penalty has one strength. */
function scalingOf(rows: readonly Row[]): (vector: ArrayLike<number>) => number[] {
  const width = rows[0]!.vector.length
  const means = Array.from({ length: width }, (_, j) => rows.reduce((sum, { vector }) => sum + vector[j]!, 0) / rows.length) // prettier-ignore
  let squares = 0
  for (const { vector } of rows) for (let j = 0; j < width; j++) squares += (vector[j]! - means[j]!) ** 2
  const scale = Math.sqrt(squares / (rows.length * width)) || 1
  return (vector) => means.map((mean, j) => (vector[j]! - mean) / scale)
}

/** Errors on the held-out rows of a classifier that is trained on the others: [rows, errors] of each domain. */
function heldOutErrors(train: readonly Row[], heldOut: readonly Row[]): [number, number][] {
  const scaled = scalingOf(train)
  const labels = train.map(({ label }) => label)
  const classifier = fitLogisticRegression(train.map(({ vector }) => scaled(vector)), labels, 2) // prettier-ignore
  const counts: [number, number][] = [[0, 0], [0, 0]] // prettier-ignore
  for (const { vector, label } of heldOut) {
    const count = counts[label]!
    count[0]++
    count[1] += Number(classProbabilities(classifier, scaled(vector))[label]! < 0.5)
  }
  return counts
}

/**
 * Proxy A-distance of two domains: how well a linear classifier separates their rows.
 *
 *     d = 2 · (1 − 2ε),  ε = held-out error of an L2-regularized logistic regression, mean of both domains
 *
 * Two-fold cross-validation: rows at even positions are one fold and those at odd positions the other, so pass rows in random order.
 * Vectors are centred and divided by one root mean square, those of the training fold. Pass as many rows of each domain: the classifier
 * prefers the larger one.
 *
 * Gotcha: with few rows of many features the error is too high, and the distance too low.
 * Source: Ben-David et al., Analysis of Representations for Domain Adaptation, 2007, section 4.
 * @param source vectors of the source domain, `[rows, width]`, at least 4
 * @param target vectors of the target domain, `[rows, width]`, at least 4
 * @throws AttuneError `TOO_FEW_EXAMPLES`
 *
 * @example
 * ```ts
 * import { proxyADistance } from '@attune/study'
 * const [books, films] = [[[0], [0.1], [0.2], [0.1]], [[5], [5.1], [4.9], [5.2]]]
 * console.log(proxyADistance(books, films)) // { distance: 2, error: 0 }
 * ```
 */
export function proxyADistance(
  source: readonly ArrayLike<number>[],
  target: readonly ArrayLike<number>[],
): ProxyADistance {
  if (Math.min(source.length, target.length) < 4)
    throw new AttuneError(
      'TOO_FEW_EXAMPLES',
      `proxy A-distance: expected at least 4 rows of each domain, got ${source.length} and ${target.length}`,
      'Pass more rows.',
    )
  const fold = (parity: number): Row[] => [
    ...source.filter((_, i) => i % 2 === parity).map((vector): Row => ({ vector, label: 0 })),
    ...target.filter((_, i) => i % 2 === parity).map((vector): Row => ({ vector, label: 1 })),
  ]
  const [even, odd] = [fold(0), fold(1)]
  const [first, second] = [heldOutErrors(even, odd), heldOutErrors(odd, even)]
  const errorOf = (domain: number): number =>
    (first[domain]![1] + second[domain]![1]) / (first[domain]![0] + second[domain]![0])
  const error = (errorOf(0) + errorOf(1)) / 2
  return { distance: 2 * (1 - 2 * error), error }
}
