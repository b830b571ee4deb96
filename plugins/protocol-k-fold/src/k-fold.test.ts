import { readFileSync } from 'node:fs'
import { key, stream } from '@attune/core'
import { describeProtocol } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { kFold } from './k-fold.js'

interface Golden {
  readonly source: string
  readonly plain: readonly { readonly count: number; readonly folds: number; readonly sizes: readonly number[] }[]
  readonly stratified: readonly {
    readonly labels: readonly number[]
    readonly folds: number
    readonly counts: readonly (readonly number[])[]
  }[]
  readonly grouped: readonly {
    readonly labels: readonly number[]
    readonly folds: number
    readonly sizes: readonly number[]
  }[]
}

const golden = JSON.parse(readFileSync('golden/scikit-learn.json', 'utf8')) as Golden
const sizesOf = (...[options, count, groups]: [Parameters<typeof kFold>[0], number, readonly string[]]): number[] =>
  kFold(options)
    .split(count, groups, stream(key(4)))
    .map(({ validation }) => validation.length)

describeProtocol(kFold)
describeProtocol(kFold, { folds: 3 })
describeProtocol(kFold, { folds: 10, stratifyBy: null })
describeProtocol(kFold, { folds: 3, groupBy: 'document' }, { keepsWhole: true })

describe('k-fold', () => {
  it(`makes folds of the same sizes as ${golden.source}, KFold`, () => {
    expect(golden.plain.length).toBeGreaterThan(20)
    for (const { count, folds, sizes } of golden.plain)
      expect(sizesOf({ folds, stratifyBy: null }, count, [])).toEqual(sizes)
  })

  it(`has as many examples of each class in each fold as ${golden.source}, StratifiedKFold`, () => {
    expect(golden.stratified.length).toBeGreaterThan(20)
    for (const { labels, folds, counts } of golden.stratified) {
      const parts = kFold({ folds }).split(labels.length, labels.map(String), stream(key(6)))
      const ours = parts.map(({ validation }) =>
        counts[0]!.map((_, c) => validation.filter((i) => labels[i] === c).length),
      )
      expect(ours).toEqual(counts)
    }
  })

  it(`divides groups into folds of the same sizes as ${golden.source}, GroupKFold`, () => {
    for (const { labels, folds, sizes } of golden.grouped)
      expect(sizesOf({ folds, groupBy: 'document' }, labels.length, labels.map(String))).toEqual(sizes)
  })

  it('shuffles: other random numbers yield other folds, and consecutive examples are separated', () => {
    const split = (seed: number) => kFold({ folds: 2 }).split(40, [], stream(key(seed)))
    expect(split(1)).not.toEqual(split(2))
    const [first] = split(1)
    expect(first!.validation).not.toEqual(Array.from({ length: 20 }, (_, i) => first!.validation[0]! + i))
  })

  it('declares the field of the classes, or that of the groups', () => {
    expect(kFold().stratifyBy).toBe('label')
    expect(kFold({ stratifyBy: null }).stratifyBy).toBeUndefined()
    expect(kFold({ groupBy: 'document' }).stratifyBy).toBe('document')
  })

  it('rejects fewer examples, or fewer groups, than folds', () => {
    const refused = (problem: string) => expect.objectContaining({ code: 'TOO_FEW_EXAMPLES', problem })
    expect(() => kFold({ folds: 5 }).split(4, [], stream(key(1)))).toThrow(
      refused('expected at least 5 examples for 5 folds, got 4'),
    )
    expect(() => kFold({ folds: 3, groupBy: 'd' }).split(4, ['a', 'b', 'a', 'b'], stream(key(1)))).toThrow(
      refused('expected at least 3 groups for 3 folds, got 2'),
    )
  })
})
