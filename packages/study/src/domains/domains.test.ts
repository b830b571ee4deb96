import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { key, normals, stream } from '@attune/core'
import { kernelTwoSampleTest } from './kernel-two-sample-test.js'
import { proxyADistance } from './proxy-a-distance.js'
import { lowercaseWords, vocabularyShift } from './vocabulary-shift.js'

interface Golden {
  readonly vectors: readonly {
    readonly source: readonly number[][]
    readonly target: readonly number[][]
    readonly error: number
    readonly distance: number
    readonly bandwidth: number
    readonly mmdSquared: number
  }[]
  readonly vocabularies: readonly {
    readonly source: Readonly<Record<string, number>>
    readonly target: Readonly<Record<string, number>>
    readonly frequent: number
    readonly jaccard: number
    readonly jensenShannon: number
    readonly unseen: number
  }[]
}
const golden = JSON.parse(readFileSync('golden/domain-shift.json', 'utf8')) as Golden

describe('proxyADistance', () => {
  it.each(golden.vectors)('matches the held-out error of LogisticRegression on the same folds: $error', (given) => {
    const { error, distance } = proxyADistance(given.source, given.target)
    expect(error).toBeCloseTo(given.error, 10)
    expect(distance).toBeCloseTo(given.distance, 10)
  })

  it('returns 2 for domains that a hyperplane separates', () => {
    const rows = (sign: number) => Array.from({ length: 10 }, (_, i) => [i, sign * (1 + i)])
    expect(proxyADistance(rows(1), rows(-1))).toEqual({ distance: 2, error: 0 })
  })

  it('rejects fewer than 4 rows of a domain', () => {
    expect(() => proxyADistance([[1], [2], [3], [4]], [[1], [2], [3]])).toThrow(
      /at least 4 rows of each domain, got 4 and 3/,
    )
  })
})

describe('kernelTwoSampleTest', () => {
  it.each(golden.vectors)('matches MMD² of NumPy: $mmdSquared', ({ source, target, bandwidth, mmdSquared }) => {
    const found = kernelTwoSampleTest(source, target, stream(key(1)), 19)
    expect(found.bandwidth).toBeCloseTo(bandwidth, 10)
    expect(found.mmdSquared).toBeCloseTo(mmdSquared, 10)
  })

  it('has p-values that are uniform for one distribution, and the smallest for two', () => {
    const next = normals(stream(key(2)))
    const rows = (mean: number) => Array.from({ length: 12 }, () => [mean + next(), next()])
    const pValues = Array.from({ length: 200 }, (_, i) => kernelTwoSampleTest(rows(0), rows(0), stream(key(i)), 99).pValue) // prettier-ignore
    const below = (level: number) => pValues.filter((p) => p <= level).length / pValues.length
    expect(Math.abs(below(0.1) - 0.1)).toBeLessThan(0.07) // three standard deviations of 200 tests
    expect(Math.abs(below(0.5) - 0.5)).toBeLessThan(0.11)
    expect(kernelTwoSampleTest(rows(0), rows(4), stream(key(1)), 99).pValue).toBe(0.01)
  })

  it('rejects a sample of one row', () => {
    expect(() => kernelTwoSampleTest([[1]], [[1], [2]], Math.random)).toThrow(/at least 2 rows/)
  })
})

describe('vocabularyShift', () => {
  it.each(golden.vocabularies)(
    'matches SciPy and sets of $frequent words',
    ({ source, target, frequent, ...expected }) => {
      const found = vocabularyShift(new Map(Object.entries(source)), new Map(Object.entries(target)), frequent)
      for (const name of ['jaccard', 'jensenShannon', 'unseen'] as const)
        expect(found[name]).toBeCloseTo(expected[name], 10)
    },
  )

  it('is 1, 0, 0 for equal vocabularies, and 0, 1, 1 for disjoint ones', () => {
    const [a, b] = [new Map([['a', 2], ['b', 1]]), new Map([['c', 5]])] // prettier-ignore
    expect(vocabularyShift(a, a)).toEqual({ jaccard: 1, jensenShannon: 0, unseen: 0 })
    expect(vocabularyShift(a, b)).toEqual({ jaccard: 0, jensenShannon: 1, unseen: 1 })
  })
})

describe('lowercaseWords', () => {
  it('splits at blanks and punctuation, in any script', () => {
    expect(lowercaseWords("Größe, it's Ελλάδα_2 —")).toEqual(['größe', 'it', 's', 'ελλάδα_2'])
    expect(lowercaseWords('…')).toEqual([])
  })
})
