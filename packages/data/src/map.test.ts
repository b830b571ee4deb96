import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { map } from './map.js'

describe('map', () => {
  it('matches Array.map', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer()), async (items) => {
        const mapped = await Readable.from(map(Readable.from(items), (n: number) => n * 2 + 1)).toArray()
        expect(mapped).toEqual(items.map((n) => n * 2 + 1))
      }),
    ))
})
