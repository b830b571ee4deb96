import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { skip } from './skip.js'

describe('skip', () => {
  it('does what Array.slice does', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), fc.nat(20), async (items, n) => {
        expect(await Readable.from(skip(Readable.from(items), n)).toArray()).toEqual(items.slice(n))
      }),
    ))

  it('refuses a number of items that is none', async () => {
    for (const n of [-1, 1.5, Number.NaN])
      await expect(Readable.from(skip(Readable.from([1]), n)).toArray()).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
