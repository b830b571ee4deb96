import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { attentionMask, padTo } from './pad-to.js'

const sequences = fc.array(fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 12 }))

describe('padTo and attentionMask', () => {
  it('lay out a batch by hand as written here', () => {
    expect(padTo([[5, 6], [], [7]], 3, 9)).toEqual({
      shape: [3, 3],
      dtype: 'int32',
      values: Int32Array.of(5, 6, 9, 9, 9, 9, 7, 9, 9),
    })
    expect(attentionMask([[5, 6], [], [7]], 3)).toEqual({
      shape: [3, 3],
      dtype: 'int32',
      values: Int32Array.of(1, 1, 0, 0, 0, 0, 1, 0, 0),
    })
  })

  it('fill up at the beginning where they are told to', () => {
    expect([...padTo([[5, 6], [], [7]], 3, 9, 'left').values]).toEqual([9, 5, 6, 9, 9, 9, 9, 9, 7])
    expect([...attentionMask([[5, 6], [], [7]], 3, 'left').values]).toEqual([0, 1, 1, 0, 0, 0, 0, 0, 1])
  })

  it('give back each sequence where the mask is 1, and the value of padding where it is 0', () =>
    fc.assert(
      fc.property(
        sequences,
        fc.integer({ min: 12, max: 20 }),
        fc.constantFrom('left', 'right'),
        (some, length, side) => {
          const { values } = padTo(some, length, -7, side)
          const mask = attentionMask(some, length, side).values
          some.forEach((sequence, row) => {
            const places = Array.from({ length }, (_, column) => row * length + column)
            expect(places.filter((place) => mask[place] === 1).map((place) => values[place])).toEqual(sequence)
            expect(places.filter((place) => mask[place] === 0).every((place) => values[place] === -7)).toBe(true)
          })
        },
      ),
    ))

  it('take typed arrays', () => {
    expect([...padTo([Int32Array.of(1, 2)], 3, 0).values]).toEqual([1, 2, 0])
  })

  it('refuse a sequence that does not fit, and name the row', () => {
    for (const call of [() => padTo([[1], [1, 2, 3]], 2, 0), () => attentionMask([[1], [1, 2, 3]], 2)])
      expect(call).toThrow(
        expect.objectContaining({ code: 'SEQUENCE_TOO_LONG', problem: expect.stringContaining('row 1') }),
      )
  })
})
