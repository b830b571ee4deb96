import { Readable } from 'node:stream'
import { key, stream } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { batch } from './batch.js'
import { type Buckets, bucketByLength } from './bucket-by-length.js'

interface Item {
  readonly id: number
  readonly length: number
}

const itemsOf = (lengths: readonly number[]): Item[] => lengths.map((length, id) => ({ id, length }))
const bucketed = (items: readonly Item[], sizes: Buckets, seed: number): Promise<Item[][]> =>
  Readable.from(bucketByLength<Item>(Readable.from(items), sizes, stream(key(seed)))).toArray() as Promise<Item[][]>
const ids = (items: readonly Item[]): number[] => items.map(({ id }) => id).sort((a, b) => a - b)
const longest = (items: readonly Item[]): number => Math.max(...items.map(({ length }) => length))
const shortest = (items: readonly Item[]): number => Math.min(...items.map(({ length }) => length))
const padding = (batches: readonly Item[][]): number =>
  batches.reduce((sum, some) => sum + some.reduce((n, { length }) => n + longest(some) - length, 0), 0)

const lengths = fc.array(fc.integer({ min: 1, max: 512 }), { maxLength: 120 })
const small = fc.integer({ min: 1, max: 9 })

describe('bucketByLength', () => {
  it('yields every item once, in ⌈n / batchSize⌉ batches, all full but the last', () =>
    fc.assert(
      fc.asyncProperty(lengths, small, small, fc.nat(), async (some, batchSize, buckets, seed) => {
        const batches = await bucketed(itemsOf(some), { batchSize, buckets }, seed)
        expect(ids(batches.flat())).toEqual(some.map((_, i) => i))
        expect(batches).toHaveLength(Math.ceil(some.length / batchSize))
        expect(batches.slice(0, -1).filter((items) => items.length !== batchSize)).toEqual([])
        expect(await bucketed(itemsOf(some), { batchSize, buckets }, seed)).toEqual(batches)
      }),
    ))

  it('sorts batchSize · buckets items at a time, so that their full batches do not overlap in length', () =>
    fc.assert(
      fc.asyncProperty(lengths, small, small, fc.nat(), async (some, batchSize, buckets, seed) => {
        const batches = await bucketed(itemsOf(some), { batchSize, buckets }, seed)
        for (let first = 0; first < batches.length; first += buckets) {
          const group = batches.slice(first, first + buckets)
          const begin = first * batchSize
          expect(ids(group.flat())).toEqual(ids(itemsOf(some).slice(begin, begin + batchSize * buckets)))
          const full = group
            .filter((items) => items.length === batchSize)
            .sort((a, b) => longest(a) - longest(b) || shortest(a) - shortest(b))
          for (const [i, items] of full.entries())
            if (i > 0) expect(shortest(items)).toBeGreaterThanOrEqual(longest(full[i - 1]!))
        }
      }),
    ))

  it('needs less than a fifth of the padding of unsorted batches', async () => {
    const random = stream(key(3))
    const items = itemsOf(Array.from({ length: 4000 }, () => 1 + Math.floor(random() * 256)))
    const plain = (await Readable.from(batch(Readable.from(items), 16)).toArray()) as Item[][]
    expect(padding(await bucketed(items, { batchSize: 16, buckets: 50 }, 1))).toBeLessThan(padding(plain) / 5)
  })

  it('yields the batches of a window in random order', async () => {
    const batches = await bucketed(itemsOf(Array.from({ length: 64 }, (_, i) => i)), { batchSize: 2, buckets: 32 }, 2)
    const order = batches.map(longest)
    expect(order).not.toEqual([...order].sort((a, b) => a - b))
  })

  it('draws the short batch from all lengths, not always the longest', async () => {
    const left = new Set<number>()
    for (let seed = 0; seed < 200; seed++)
      left.add((await bucketed(itemsOf([1, 2, 3, 4, 5]), { batchSize: 2, buckets: 4 }, seed)).at(-1)![0]!.length)
    expect([...left].sort()).toEqual([1, 3, 5])
  })

  it('yields batches of one group each, all full but one per group', async () => {
    const grouped = itemsOf(Array.from({ length: 100 }, (_, i) => i % 17)).map((item) => ({
      ...item,
      group: ['a', 'b', 'b', 'c', 'b'][item.id % 5]!,
    }))
    const batches = (await bucketed(grouped, { batchSize: 6, buckets: 3 }, 4)) as (typeof grouped)[]
    expect(batches.filter((some) => new Set(some.map(({ group }) => group)).size > 1)).toEqual([])
    expect(ids(batches.flat())).toEqual(ids(grouped))
    const short = batches.filter((some) => some.length < 6).map((some) => [some[0]!.group, some.length])
    expect(short.sort()).toEqual([
      ['a', 2],
      ['c', 2],
    ])
  })

  it.each([
    { batchSize: 0, buckets: 1 },
    { batchSize: 1, buckets: 0 },
    { batchSize: 1, buckets: 1.5 },
  ])('rejects %j', async (sizes) => {
    await expect(bucketed([], sizes, 1)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
