import { Readable } from 'node:stream'
import { key, stream } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { shuffle } from './shuffle.js'

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const shuffledBy = (items: readonly number[], bufferSize: number, seed: number): Promise<number[]> =>
  Readable.from(shuffle(Readable.from(items), bufferSize, stream(key(seed)))).toArray() as Promise<number[]>

describe('shuffle', () => {
  it('yields every item once, at most bufferSize − 1 positions early, and in the same order for the same seed', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(80), fc.integer({ min: 1, max: 100 }), fc.nat(), async (n, bufferSize, seed) => {
        const order = await shuffledBy(upTo(n), bufferSize, seed)
        expect([...order].sort((a, b) => a - b)).toEqual(upTo(n))
        expect(order.filter((item, position) => item - position > bufferSize - 1)).toEqual([])
        expect(await shuffledBy(upTo(n), bufferSize, seed)).toEqual(order)
      }),
    ))

  it('passes a chi-squared test for uniformity over the 24 orders of four items', async () => {
    const seen = new Map<string, number>()
    for (let seed = 0; seed < 4800; seed++) {
      const order = (await shuffledBy(upTo(4), 4, seed)).join('')
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    expect(seen.size).toBe(24)
    const chiSquare = [...seen.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0)
    expect(chiSquare).toBeLessThan(49.7) // the 99.9th percentile for 23 degrees of freedom
  })

  it('reads at most its buffer ahead, and closes the stream on early return', async () => {
    let read = 0
    let closed = false
    async function* endless(): AsyncGenerator<number, void> {
      try {
        for (;;) yield await Promise.resolve(read++)
      } finally {
        closed = true
      }
    }
    let given = 0
    for await (const item of shuffle(endless(), 10, stream(key(1)))) {
      expect(item).toBeLessThan(read)
      expect(read).toBeLessThanOrEqual(++given + 10)
      if (given === 50) break
    }
    expect(closed).toBe(true)
  })

  it.each([0, -3, 2.5])('rejects a buffer size of %d', async (bufferSize) => {
    await expect(shuffledBy([1], bufferSize, 1)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
