import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { averaged, combined, stackingFeatures, votes } from './combine.js'
import { fitLogisticRegression } from './logistic-regression.js'
import { outOfBagMean } from './out-of-bag.js'
import { joinFolds } from './out-of-fold.js'
import { selectByGroup } from './select-members.js'

interface Case {
  readonly labels: readonly number[]
  readonly members: readonly (readonly number[][])[]
  readonly weights: readonly number[]
  readonly soft: readonly number[][]
  readonly hard: readonly number[]
  readonly fitted: number
  readonly stack: readonly number[][]
}
interface Stack {
  readonly folds: readonly { readonly classes: readonly number[]; readonly members: readonly number[][][] }[]
  readonly coefficients: readonly number[][]
  readonly intercepts: readonly number[]
}
type Golden = Readonly<Record<'two' | 'four', Case>> & { readonly outOfFold: readonly Stack[] }
const golden = JSON.parse(readFileSync('golden/ensembles.json', 'utf8')) as Golden

interface Bag {
  readonly labels: readonly number[]
  /** Rows that each member saw. */
  readonly seen: readonly (readonly number[])[]
  readonly members: readonly (readonly number[][])[]
  readonly outOfBag: readonly (number[] | null)[]
  readonly accuracy: number
}
const bagging = JSON.parse(readFileSync('golden/bagging.json', 'utf8')) as { readonly cases: readonly Bag[] }

type Matrix = readonly (readonly number[])[]
const expectRows = (found: Matrix, expected: Matrix, digits: number): void => {
  expect(found.length).toBe(expected.length)
  for (const [i, row] of found.entries())
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[i]![j]!, digits)
}

describe.each(['two', 'four'] as const)('ensembles of %s classes', (name) => {
  const { labels, members, weights, soft, hard, fitted, stack } = golden[name]
  const rows = labels.map((_, i) => members.map((member) => member[i]!))

  it('average and vote as VotingClassifier', () => {
    expectRows(rows.map((row) => averaged(row, weights)), soft, 12) // prettier-ignore
    const chosen = rows.map((row) => votes(row, weights)).map((shares) => shares.indexOf(Math.max(...shares)))
    expect(chosen).toEqual(hard)
  })

  it('stack as StackingClassifier with a logistic regression', () => {
    const features = rows.map(stackingFeatures)
    const regression = fitLogisticRegression(features.slice(0, fitted), labels.slice(0, fitted), members[0]![0]!.length)
    expectRows(rows.map((row) => combined(row, { method: 'stack', regression })), stack, 6) // prettier-ignore
  })
})

describe('stacking from out-of-fold predictions', () => {
  it('fits the final estimator of StackingClassifier', () => {
    for (const { folds, coefficients, intercepts } of golden.outOfFold) {
      const { classes, members } = joinFolds(folds.map((fold) => ({ examples: [], ...fold })))
      expect(classes).toHaveLength(60)
      const features = classes.map((_, i) => stackingFeatures(members.map((member) => member[i]!)))
      const found = fitLogisticRegression(features, classes, members[0]![0]!.length)
      expectRows(found.coefficients, coefficients, 5)
      expectRows([found.intercepts], [intercepts], 5)
    }
  })
})

describe('the out-of-bag mean', () => {
  it('returns the out-of-bag decision function and score of BaggingClassifier', () => {
    for (const { labels, seen, members, outOfBag, accuracy } of bagging.cases) {
      const found = labels.map((_, i) => outOfBagMean(members.map((member, m) => seen[m]!.includes(i) ? undefined : member[i]!))) // prettier-ignore
      expect(found.map((mean) => mean === undefined)).toEqual(outOfBag.map((mean) => mean === null))
      const isKnown = (_: unknown, i: number): boolean => found[i] !== undefined
      expectRows(found.filter(isKnown) as number[][], outOfBag.filter(isKnown) as number[][], 12)
      // scikit-learn predicts the first class for a row that all members saw
      const right = found.filter((mean = [1], i) => mean.indexOf(Math.max(...mean)) === labels[i]).length
      expect(right / labels.length).toBeCloseTo(accuracy, 12)
    }
  })
})

describe('selection of members', () => {
  it('takes the most confident member, the first of equal ones', () => {
    const members = [[0.6, 0.4], [0.1, 0.9], [0.9, 0.1]] // prettier-ignore
    expect(combined(members, { method: 'confident' })).toEqual([0.1, 0.9])
  })

  it('takes the most accurate member of each group, then the lower log-loss, then the best of all for an unknown group', () => {
    const rows = [{ task: 'x' }, { task: 'x' }, { task: 'y' }, {}]
    const labels = [0, 1, 1, 0]
    const members = [
      [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]], // right: x 1, y 1, none 1; the lower log-loss of all
      [[0.6, 0.4], [0.4, 0.6], [0.1, 0.9], [0.2, 0.8]], // right: x 2, y 1 with the lower log-loss, none 0
    ] // prettier-ignore
    const selection = selectByGroup('task', rows, labels, members)
    expect(selection).toEqual({ field: 'task', members: { x: 1, y: 1, '': 0 }, otherwise: 0 })
    const of = (example: Record<string, string>) => combined(members.map((each) => each[3]!), { method: 'select', ...selection }, example) // prettier-ignore
    expect([of({}), of({ task: 'x' }), of({ task: 'toString' })]).toEqual([
      [0.7, 0.3],
      [0.2, 0.8],
      [0.7, 0.3],
    ])
  })
})

describe('logistic regression', () => {
  it('rejects data without rows or classes', () => {
    expect(() => fitLogisticRegression([], [], 2)).toThrow(/0 rows of 2/)
    expect(() => fitLogisticRegression([[1]], [0], 1)).toThrow(/1 rows of 1/)
  })
})
