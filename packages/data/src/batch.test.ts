import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { batchByGroup } from './batch-by-group.js'
import { batch } from './batch.js'

describe('batch', () => {
  it('keeps the order, fills every batch but the last, and yields no empty batch', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 12 }), async (items, batchSize) => {
        const batches = (await Readable.from(batch(Readable.from(items), batchSize)).toArray()) as number[][]
        expect(batches.flat()).toEqual(items)
        expect(batches).toHaveLength(Math.ceil(items.length / batchSize))
        expect(batches.slice(0, -1).filter((some) => some.length !== batchSize)).toEqual([])
        expect(batches.filter((some) => some.length === 0)).toEqual([])
      }),
    ))

  it.each([0, -1, 0.5])('rejects a batch size of %d', async (batchSize) => {
    const batches = Readable.from(batch(Readable.from([1]), batchSize)).toArray()
    await expect(batches).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})

describe('batchByGroup', () => {
  it('yields batches of one group each, as soon as they are full', async () => {
    const items = ['a', 'b', 'a', 'a', 'c', 'b'].map((group, id) => ({ group, id }))
    const batches = (await Readable.from(batchByGroup(Readable.from(items), 2)).toArray()) as (typeof items)[]
    expect(batches.map((some) => some.map(({ id }) => id))).toEqual([[0, 2], [1, 5], [3], [4]])
  })

  it('matches `batch` for items without groups', async () => {
    const items = Array.from({ length: 11 }, (_, id) => ({ id }))
    expect(await Readable.from(batchByGroup(Readable.from(items), 4)).toArray()).toEqual(
      await Readable.from(batch(Readable.from(items), 4)).toArray(),
    )
  })
})
