import { describe, expect, it } from '@jest/globals'
import { type Tokenizer, key, stream } from '@attune/core'
import {
  type LengthWeights,
  geometricLengths,
  harmonicLengths,
  ownRandom,
  sampleLength,
  samplePoisson,
  withinBudget,
  wordUnits,
} from '../index.js'

const SAMPLES = 20_000
const random = stream(key(1))

/** Pearson's statistic of samples 0, 1, … with these probabilities; all greater values count as the last one. */
function chiSquare(probabilities: readonly number[], sample: () => number): number {
  const counts = probabilities.map(() => 0)
  for (let i = 0; i < SAMPLES; i++) counts[Math.min(sample(), counts.length - 1)]!++
  return counts.reduce((sum, count, i) => {
    const expected = SAMPLES * probabilities[i]!
    return sum + (count - expected) ** 2 / expected
  }, 0)
}

describe('samples', () => {
  const normalized = (weights: LengthWeights): number[] => {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return weights.map((weight) => weight / total)
  }
  it.each([
    // The 0.999 quantiles with 9 and 2 degrees of freedom.
    ['geometric', geometricLengths(0.2, 10), 27.9],
    ['harmonic', harmonicLengths(3), 13.8],
  ] as const)('of %s lengths have their distribution', (_name, weights, quantile) => {
    expect(chiSquare(normalized(weights), () => sampleLength(weights, random) - 1)).toBeLessThan(quantile)
  })

  it('of geometric lengths have the mean of SpanBERT, 3.8', () => {
    const mean = normalized(geometricLengths(0.2, 10)).reduce((sum, p, i) => sum + p * (i + 1), 0)
    expect(mean).toBeCloseTo(3.8, 2)
  })

  it.each([0.5, 3])('of the Poisson distribution of mean %d have its distribution', (mean) => {
    const below = Array.from({ length: 6 }, (_, n) => [1, 1, 2, 6, 24, 120][n]!).map(
      (factorial, n) => (Math.exp(-mean) * mean ** n) / factorial,
    )
    const rest = 1 - below.reduce((sum, p) => sum + p, 0)
    expect(chiSquare([...below, rest], () => samplePoisson(mean, random))).toBeLessThan(22.5) // 6 degrees of freedom
  })
})

/** A tokenizer of these tokens; the first is special. */
const tokenizerOf = (tokens: readonly string[]) =>
  ({ vocabularySize: tokens.length, special: { mask: 0 }, token: (id: number) => tokens[id] }) as unknown as Tokenizer

describe('wordUnits', () => {
  it.each([
    ['WordPiece', ['[MASK]', 'un', '##like', '##ly', 'so']],
    ['SentencePiece', ['<mask>', '▁un', 'like', 'ly', '▁so']],
    ['byte-level', ['<mask>', 'Ġun', 'like', 'ly', 'Ġso']],
  ])('returns the words of a vocabulary of %s, without special tokens', (_name, tokens) => {
    const ids = [0, 1, 2, 3, 4, 0, 2, 1]
    expect(wordUnits(tokenizerOf(tokens), true)(ids)).toEqual([[1, 2, 3], [4], [6], [7]])
    expect(wordUnits(tokenizerOf(tokens), false)(ids)).toEqual([[1], [2], [3], [4], [6], [7]])
  })
})

it('withinBudget skips what does not fit, and goes on', () =>
  expect(withinBudget([[1], [2, 3, 4], [5, 6]], 3)).toEqual([1, 5, 6]))

it('ownRandom returns the same numbers for the same tokens only', () => {
  expect(ownRandom([1, 2])()).toBe(ownRandom([1, 2])())
  expect(ownRandom([1, 2])()).not.toBe(ownRandom([2, 1])())
})
