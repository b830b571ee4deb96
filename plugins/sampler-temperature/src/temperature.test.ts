import { type SampledData, key, stream } from '@attune/core'
import { describeSampler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { temperature } from './temperature.js'

describeSampler(temperature)
describeSampler(temperature, { options: { by: 'language', temperature: 1 } })

describe('temperature', () => {
  const names = Array.from({ length: 1000 }, (_, i) => (i < 900 ? 'large' : i < 990 ? 'middle' : 'small'))
  const data: SampledData = { count: 1000, batchSize: 8, group: (i) => names[i]!, length: () => 1 }
  const drawn = (t: number): number[] => {
    const sampler = temperature({ temperature: t })
    return Array.from({ length: 20 }, (_, epoch) => [...sampler.order(epoch, data, stream(key(epoch)))]).flat()
  }

  it.each([1, 2, 5, 1000])('takes groups in proportion to their size to the power of 1 / %p', (t) => {
    const order = drawn(t)
    const sizes = [900, 90, 10].map((n) => n ** (1 / t))
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const squares = ['large', 'middle', 'small'].map((name, k) => {
      const expected = (order.length * sizes[k]!) / total
      return (order.filter((i) => names[i] === name).length - expected) ** 2 / expected
    })
    // The 0.999 quantile of the chi-squared distribution with 2 degrees of freedom.
    expect(squares.reduce((sum, square) => sum + square, 0)).toBeLessThan(13.82)
  })

  it('takes every example of a group once before any again', () => {
    const order = [...temperature({ temperature: 1000 }).order(0, data, stream(key(3)))]
    const counts = new Map<number, number>()
    for (const index of order.filter((i) => names[i] === 'small')) counts.set(index, (counts.get(index) ?? 0) + 1)
    expect(counts.size).toBe(10)
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1)
  })
})
