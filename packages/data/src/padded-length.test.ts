import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { paddedLength } from './padded-length.js'

describe('paddedLength', () => {
  it.each([
    [1, 16, 512, 16],
    [16, 16, 512, 16],
    [17, 16, 512, 32],
    [0, 8, 512, 8],
    [500, 64, 510, 510],
    [3, 8, 5, 5],
  ])('pads length %d with multiple %d and maximum %d to %d', (longest, multiple, maximum, expected) => {
    expect(paddedLength(longest, multiple, maximum)).toBe(expected)
  })

  it('is the smallest sufficient multiple, or the maximum', () =>
    fc.assert(
      fc.property(
        fc.nat(600),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 600, max: 700 }),
        (n, multiple, maximum) => {
          const length = paddedLength(n, multiple, maximum)
          expect(length).toBeGreaterThanOrEqual(n)
          expect(length).toBeLessThanOrEqual(maximum)
          if (length < maximum) expect(length % multiple).toBe(0)
          if (n > 0) expect(length - n).toBeLessThan(multiple)
        },
      ),
    ))

  it('rejects a length above the maximum, and a multiple of 0', () => {
    expect(() => paddedLength(513, 8, 512)).toThrow(expect.objectContaining({ code: 'SEQUENCE_TOO_LONG' }))
    expect(() => paddedLength(1, 0, 512)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})
