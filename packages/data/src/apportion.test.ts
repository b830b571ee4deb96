import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { apportion } from './apportion.js'

const of = (sizes: readonly number[], total: number, seed = 1): readonly number[] =>
  apportion(
    sizes,
    sizes.reduce((sum, size) => sum + size, 0),
    total,
    stream(key(seed)),
  )

describe('apportion', () => {
  it('returns exact quotas if they are integers', () => expect(of([50, 30, 20], 10)).toEqual([5, 3, 2]))

  it('assigns the rest to the largest remainders', () => expect(of([7, 5, 3], 4)).toEqual([2, 1, 1]))

  it('never takes a whole class', () => {
    for (let seed = 0; seed < 20; seed++) {
      const taken = of([2, 2, 2, 50], 30, seed)
      expect(taken.every((n, i) => n < [2, 2, 2, 50][i]!)).toBe(true)
    }
  })

  it('breaks ties between equal remainders at random', () => {
    const found = new Set(Array.from({ length: 30 }, (_, seed) => of([5, 5, 5], 4, seed).join()))
    expect([...found].sort()).toEqual(['1,1,2', '1,2,1', '2,1,1'])
  })
})
