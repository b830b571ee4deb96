import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { attentionMask, padTo } from './pad-to.js'

const sequences = fc.array(fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 12 }))

describe('padTo and attentionMask', () => {
  it('match a batch padded by hand', () => {
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

  it('pad on the left on request', () => {
    expect([...padTo([[5, 6], [], [7]], 3, 9, 'left').values]).toEqual([9, 5, 6, 9, 9, 9, 9, 9, 7])
    expect([...attentionMask([[5, 6], [], [7]], 3, 'left').values]).toEqual([0, 1, 1, 0, 0, 0, 0, 0, 1])
  })

  it('return each sequence where the mask is 1, and the padding value where it is 0', () =>
    fc.assert(
      fc.property(
        sequences,
        fc.integer({ min: 12, max: 20 }),
        fc.constantFrom('left', 'right'),
        (some, length, side) => {
          const { values } = padTo(some, length, -7, side)
          const mask = attentionMask(some, length, side).values
          some.forEach((sequence, row) => {
            const indices = Array.from({ length }, (_, column) => row * length + column)
            expect(indices.filter((i) => mask[i] === 1).map((i) => values[i])).toEqual(sequence)
            expect(indices.filter((i) => mask[i] === 0).every((i) => values[i] === -7)).toBe(true)
          })
        },
      ),
    ))

  it('accept typed arrays', () => {
    expect([...padTo([Int32Array.of(1, 2)], 3, 0).values]).toEqual([1, 2, 0])
  })

  it('reject a sequence that is too long, and name the row', () => {
    for (const call of [() => padTo([[1], [1, 2, 3]], 2, 0), () => attentionMask([[1], [1, 2, 3]], 2)])
      expect(call).toThrow(
        expect.objectContaining({ code: 'SEQUENCE_TOO_LONG', problem: expect.stringContaining('row 1') }),
      )
  })
})
