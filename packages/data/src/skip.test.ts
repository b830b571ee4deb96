import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { skip } from './skip.js'

describe('skip', () => {
  it('matches Array.slice', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), fc.nat(20), async (items, n) => {
        expect(await Readable.from(skip(Readable.from(items), n)).toArray()).toEqual(items.slice(n))
      }),
    ))

  it('rejects an invalid number of items', async () => {
    for (const n of [-1, 1.5, Number.NaN])
      await expect(Readable.from(skip(Readable.from([1]), n)).toArray()).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
