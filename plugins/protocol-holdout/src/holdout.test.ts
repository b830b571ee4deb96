import { readFileSync } from 'node:fs'
import { key, shuffled, stream } from '@attune/core'
import { describeProtocol } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { holdout } from './holdout.js'

interface Golden {
  readonly source: string
  readonly cases: readonly { sizes: number[]; validation: number; train: number[]; held: number[] }[]
  readonly plain: readonly { count: number; validation: number; held: number }[]
}

const golden = JSON.parse(readFileSync('golden/scikit-learn.json', 'utf8')) as Golden
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
const labelsOf = (sizes: readonly number[]): string[] =>
  shuffled(
    sizes.flatMap((size, c) => new Array<string>(size).fill(String(c))),
    stream(key(9)),
  )

/** Examples held out of each class. */
function heldOf(sizes: readonly number[], validation: number, seed = 1): number[] {
  const labels = labelsOf(sizes)
  const [fold] = holdout({ validation }).split(labels.length, labels, stream(key(seed)))
  return sizes.map((_, c) => fold!.validation.filter((i) => labels[i] === String(c)).length)
}

/** Held-out examples summed over the classes with the same remainder, since ties are broken differently within such a group. */
function byRemainder(sizes: readonly number[], held: readonly number[]): Record<number, number> {
  const sums: Record<number, number> = {}
  sizes.forEach((size, c) => {
    const remainder = (size * sum(held)) % sum(sizes)
    sums[remainder] = (sums[remainder] ?? 0) + held[c]!
  })
  return sums
}

describeProtocol(holdout)
describeProtocol(holdout, { stratifyBy: null, validation: 0.4 })
describeProtocol(holdout, { validation: 0.93 })

describe('holdout', () => {
  it(`holds out as many examples in total and per class as ${golden.source}, except for ties`, () => {
    expect(golden.cases.length).toBeGreaterThan(50)
    for (const { sizes, validation, train, held } of golden.cases) {
      const ours = heldOf(sizes, validation)
      expect(sum(ours)).toBe(sum(held))
      // scikit-learn may hold out all examples of a small class; this plugin always keeps one for training.
      if (train.every((kept) => kept > 0)) expect(byRemainder(sizes, ours)).toEqual(byRemainder(sizes, held))
      expect(ours.every((n, c) => n < sizes[c]!)).toBe(true)
    }
  })

  it(`holds out as many examples as ${golden.source} without stratification`, () => {
    for (const { count, validation, held } of golden.plain) {
      const [fold] = holdout({ validation, stratifyBy: null }).split(count, [], stream(key(2)))
      expect(fold!.validation.length).toBe(held)
    }
  })

  it('holds out every example of a class with the same frequency', () => {
    const labels = [...new Array<string>(12).fill('a'), ...new Array<string>(8).fill('b')]
    const times = new Array<number>(20).fill(0)
    for (let seed = 0; seed < 4000; seed++)
      for (const i of holdout({ validation: 0.25 }).split(20, labels, stream(key(seed)))[0]!.validation) times[i]!++
    const chiSquare = sum(times.map((n) => (n - 1000) ** 2 / 1000))
    expect(chiSquare).toBeLessThan(42.3) // the 99.9th percentile for 18 degrees of freedom; sampling without replacement varies less
  })

  it('returns another split for other random numbers', () => {
    const labels = labelsOf([40, 60])
    const folds = [1, 2].map((seed) => holdout().split(100, labels, stream(key(seed))))
    expect(folds[0]).not.toEqual(folds[1])
  })

  it('trains on single examples, without an effect on the split of the others', () => {
    expect(heldOf([1, 20, 1, 30], 0.1)).toEqual([0, 2, 0, 3])
  })

  it('holds out each of many small classes with the same probability', () => {
    const seen = [1, 2, 3, 4, 5, 6].map((seed) => heldOf(new Array<number>(50).fill(2), 0.1, seed))
    for (const held of seen) expect([sum(held), Math.max(...held)]).toEqual([10, 1])
    expect(new Set(seen.map(String)).size).toBeGreaterThan(1)
  })

  it('declares the field to stratify by', () => {
    expect(holdout().stratifyBy).toBe('label')
    expect(holdout({ stratifyBy: 'section' }).stratifyBy).toBe('section')
    expect('stratifyBy' in holdout({ stratifyBy: null })).toBe(false)
  })

  it('accepts classes of any name', () => {
    const labels = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? '__proto__' : 'constructor'))
    const [fold] = holdout({ validation: 0.2 }).split(20, labels, stream(key(3)))
    expect(fold!.validation.map((i) => labels[i]).sort()).toEqual([
      '__proto__',
      '__proto__',
      'constructor',
      'constructor',
    ])
  })

  it('throws TOO_FEW_EXAMPLES if there is no class to split', () => {
    for (const [count, labels] of [
      [0, []],
      [1, ['a']],
      [3, ['a', 'b', 'c']],
    ] as const)
      expect(() => holdout().split(count, labels, stream(key(1)))).toThrow(
        expect.objectContaining({ code: 'TOO_FEW_EXAMPLES' }),
      )
  })
})
