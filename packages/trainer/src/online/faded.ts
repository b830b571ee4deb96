import type { Metric } from '@attune/core'
import type { Scores } from './windowed.js'

/** Prequential scores with a fading factor. */
export interface FadedScores {
  /** Adds the scores of a batch of `count` rows. */
  add(scores: Scores, count: number): void
  values(): Readonly<Record<string, number>>
}

/**
 * Prequential scores with a fading factor α: old rows count less and less, in constant memory and without a window.
 *
 *     S_i = e_i + α · S_{i−1},   B_i = 1 + α · B_{i−1},   score = S_i / B_i
 *
 * With batches of n rows, the score of a batch counts n, and everything before it α^n; for batches of one row this is the formula above.
 * Source: Gama, Sebastião and Rodrigues, On Evaluating Stream Learning Algorithms, 2013, section 3.2.
 * @param factor α in (0, 1]; 1 is the mean over the stream
 */
export function fadedScores(metrics: readonly Metric[], factor: number): FadedScores {
  const sums = new Map(metrics.map(({ name }) => [name, 0]))
  let weight = 0
  return {
    add(scores, count) {
      const left = factor ** count
      weight = left * weight + count
      for (const [name, sum] of sums) sums.set(name, left * sum + count * (scores[name]?.value ?? 0))
    },
    values: () => Object.fromEntries([...sums].map(([name, sum]) => [name, sum / weight])),
  }
}
