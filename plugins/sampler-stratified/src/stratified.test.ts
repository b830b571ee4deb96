import { type SampledData, key, stream } from '@attune/core'
import { describeSampler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { stratified } from './stratified.js'

describeSampler(stratified)
describeSampler(stratified, { options: { by: 'language' } })

describe('stratified', () => {
  const names = Array.from({ length: 100 }, (_, i) => (i < 70 ? 'large' : i < 97 ? 'middle' : 'small'))
  const dataOf = (batchSize: number): SampledData => ({
    count: 100,
    batchSize,
    group: (i) => names[i]!,
    length: () => 1,
  })
  const batchesOf = (options: object, batchSize: number): number[][] => {
    const order = [...stratified(options).order(0, dataOf(batchSize), stream(key(1)))]
    return Array.from({ length: order.length / batchSize }, (_, i) => order.slice(i * batchSize, (i + 1) * batchSize))
  }
  const counts = (batch: readonly number[]) =>
    ['large', 'middle', 'small'].map((name) => batch.filter((i) => names[i] === name).length)

  it.each([
    [{}, 9, [3, 3, 3]],
    [{}, 8, [2, 3, 3]],
    [{ rows: { large: 5, middle: 2, small: 1 } }, 8, [5, 2, 1]],
  ])('takes with %j and a batch size of %i the examples %j of each group in every batch', (options, size, expected) => {
    const batches = batchesOf(options, size)
    expect(batches.map(counts)).toEqual(new Array(Math.ceil(100 / size)).fill(expected))
  })

  it('takes every example of a group once before any again, in random order', () => {
    const all = batchesOf({}, 9).flat()
    const middle = all.filter((i) => names[i] === 'middle')
    expect(middle.slice(0, 27)).not.toEqual(middle.slice(0, 27).sort((a, b) => a - b))
    expect(new Set(middle.slice(0, 27)).size).toBe(27)
    const times = [97, 98, 99].map((i) => all.filter((each) => each === i).length)
    expect(times).toEqual([12, 12, 12])
  })

  it('rejects a batch with fewer examples than groups', () => {
    expect(() => batchesOf({}, 2)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })

  it.each([
    [{ large: 4, middle: 4 }, /for each group of the data, large, middle, small, got large, middle/],
    [{ large: 4, middle: 2, small: 1, tiny: 1 }, /got large, middle, small, tiny/],
    [{ large: 4, middle: 2, small: 1 }, /the batch size, 8, got 7/],
  ])('rejects the rows %j', (rows, problem) => {
    expect(() => batchesOf({ rows }, 8)).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT', problem: expect.stringMatching(problem) as unknown }),
    )
  })
})
