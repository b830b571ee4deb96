import { describe, expect, it } from '@jest/globals'
import type { HostArray } from '@attune/core'
import { largestScores, markLargest } from './largest-scores.js'

const array = (values: readonly number[], shape: readonly number[]): HostArray => ({
  shape: [...shape],
  dtype: 'float32',
  values: Float32Array.from(values),
})
const marks = (found: ReturnType<typeof largestScores>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(found).map(([name, { values }]) => [name, [...values]]))

describe('markLargest', () => {
  it.each<[string, number[], number, number[]]>([
    ['the largest scores', [3, 1, 2, 4], 0.5, [1, 0, 0, 1]],
    ['the first of equal scores', [2, 2, 2, 5], 0.5, [1, 0, 0, 1]],
    ['negative scores', [-3, -1, -2], 2 / 3, [0, 1, 1]],
    ['zeros and negative zeros as equal', [-0, 0, -0, -1], 0.5, [1, 1, 0, 0]],
    ['at least one', [1, 3, 2], 0.01, [0, 1, 0]],
    ['numbers that differ only in double precision', [1 / 3, 1 / 3 + 1e-12, 0.1], 1 / 3, [0, 1, 0]],
    ['all', [1, 1], 1, [1, 1]],
  ])('marks %s', (_, scores, fraction, expected) => {
    expect([...markLargest(scores, fraction, 'test')]).toEqual(expected)
  })
})

describe('largestScores', () => {
  const scores = { a: array([5, 1, 6, 2], [2, 2]), b: array([9, 8, 7, 0], [2, 2]) }

  it('compares the scores of all parameters, of each parameter, or of each output', () => {
    const found = (compare: 'global' | 'layer' | 'output', inputFirst = false) =>
      marks(largestScores('test', scores, { fraction: 0.5, compare, inputFirst }))
    expect(found('global')).toEqual({ a: [0, 0, 1, 0], b: [1, 1, 1, 0] })
    expect(found('layer')).toEqual({ a: [1, 0, 1, 0], b: [1, 1, 0, 0] })
    expect(found('output')).toEqual({ a: [1, 0, 1, 0], b: [1, 0, 1, 0] })
    expect(found('output', true)).toEqual({ a: [0, 0, 1, 1], b: [1, 1, 0, 0] })
  })

  it('returns the same masks as a stable sort of many scores with ties', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 97) - 40)
    const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b)
    const expected = new Float32Array(values.length)
    for (const i of order.slice(0, 1234)) expected[i] = 1
    expect(markLargest(values, 1234 / 5000, 'test')).toEqual(expected)
  })

  it('rejects NaN and infinite scores', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      expect(() =>
        largestScores('test', { ...scores, c: array([1, bad], [2]) }, { fraction: 0.5, compare: 'layer' }),
      ).toThrow(expect.objectContaining({ code: 'NON_FINITE_SCORES', problem: expect.stringContaining('c') }))
  })
})
