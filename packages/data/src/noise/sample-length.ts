/** A distribution of lengths: weights of the lengths 1, 2, … */
export type LengthWeights = readonly number[]

/**
 * Weights of the geometric distribution `p(1 − p)^(n − 1)` of lengths from 1 to `maximum`. With p = 0.2 and 10, as in SpanBERT, the mean is 3.8:
 * the distribution is renormalized, not clipped, which would put all longer spans at 10 and have a mean of 4.5.
 * Source: Joshi et al., SpanBERT, 2020, section 3.1, and its code.
 */
export const geometricLengths = (probability: number, maximum: number): LengthWeights =>
  Array.from({ length: maximum }, (_, i) => probability * (1 - probability) ** i)

/**
 * Weights `1 / n` of the lengths from 1 to `maximum`: short n-grams are more frequent.
 * Source: Lan et al., ALBERT, 2020, section 4.1.
 */
export const harmonicLengths = (maximum: number): LengthWeights =>
  Array.from({ length: maximum }, (_, i) => 1 / (i + 1))

/** A length with probability proportional to its weight. */
export function sampleLength(weights: LengthWeights, random: () => number): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  const at = weights.findIndex((weight) => (left -= weight) < 0)
  return at < 0 ? weights.length : at + 1
}

/** A Poisson-distributed count, by Knuth's product of uniform numbers. Source: Knuth, The Art of Computer Programming 2, section 3.4.1. */
export function samplePoisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = 1 - random(); product > limit; product *= 1 - random()) count++
  return count
}
