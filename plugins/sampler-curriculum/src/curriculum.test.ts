import { type SampledData, key, stream } from '@attune/core'
import { describeSampler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { curriculum } from './curriculum.js'

describeSampler(curriculum)
describeSampler(curriculum, { options: { by: 'difficulty', start: 0.01, epochs: 10 } })

describe('curriculum', () => {
  const data: SampledData = { count: 100, batchSize: 8, group: (i) => (i < 5 ? '' : String(i)), length: (i) => 100 - i }
  const admitted = (options: object, epoch: number): number[] =>
    [...new Set(curriculum(options).order(epoch, data, stream(key(epoch))))].sort((a, b) => a - b)

  it('trains on the fraction of equation 7, the shortest texts first', () => {
    const options = { start: 0.1, epochs: 4 }
    // √(e · 0.99 / 4 + 0.01) for e = 0, 1, 2, 3, 4.
    expect([0, 1, 2, 3, 4, 9].map((epoch) => admitted(options, epoch).length)).toEqual([10, 51, 72, 87, 100, 100])
    expect(admitted(options, 0)).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
  })

  it('takes the difficulty of a field, and an example without one last', () => {
    expect(admitted({ by: 'difficulty', start: 0.95 }, 0)).toEqual(Array.from({ length: 95 }, (_, i) => i + 5))
    expect(admitted({ by: 'difficulty', start: 0.05 }, 0)).toEqual([5, 6, 7, 8, 9])
  })

  it('repeats the admitted examples equally often', () => {
    const order = [...curriculum({ start: 0.3 }).order(0, data, stream(key(1)))]
    const counts = order.reduce((all, i) => all.set(i, (all.get(i) ?? 0) + 1), new Map<number, number>())
    expect([order.length, counts.size]).toEqual([100, 30])
    expect([Math.min(...counts.values()), Math.max(...counts.values())]).toEqual([3, 4])
  })
})
