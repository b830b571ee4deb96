import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { attentionMask, padTo } from './pad-to.js'
import { unpackedRows, fillRows, packSequences } from './pack-sequences.js'
import { packedTextArrays } from './text-inputs.js'

const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 })
const texts = lengths.map((all) => all.map((length, at) => Array.from({ length }, (_, i) => 1000 * (at + 1) + i)))

describe('packSequences', () => {
  it('matches a packing by hand: longest first, each in the first row with room', () =>
    expect(packSequences([2, 7, 3, 5, 12], 10)).toEqual({
      rows: 3,
      length: 12,
      positions: [
        { row: 2, start: 5, segment: 1 },
        { row: 1, start: 0, segment: 0 },
        { row: 1, start: 7, segment: 1 },
        { row: 2, start: 0, segment: 0 },
        { row: 0, start: 0, segment: 0 },
      ],
    }))

  it('assigns disjoint positions to all sequences, within the capacity of the rows', () =>
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 40 }), (some, capacity) => {
        const packing = packSequences(
          some.map(({ length }) => length),
          capacity,
        )
        expect(packing.length).toBeLessThanOrEqual(Math.max(capacity, ...some.map(({ length }) => length)))
        const { values, shape } = fillRows(some, packing, packing.length, 0)
        expect(shape).toEqual([packing.rows, packing.length])
        expect([...values].filter((value) => value !== 0).sort()).toEqual(some.flat().sort())
        for (const [at, { row, start }] of packing.positions.entries())
          expect([...values.subarray(row * packing.length + start).subarray(0, some[at]!.length)]).toEqual(some[at])
      }),
    ))

  it('stays within the proven bound of 11/9 of the minimum number of rows plus one', () => {
    // Rows of exactly 20 are split at random, so their number is the minimum.
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 19 }), { minLength: 1, maxLength: 30 }), (splits) => {
        const lengths = splits.flatMap((first) => [first, 20 - first])
        expect(packSequences(lengths, 20).rows).toBeLessThanOrEqual((11 / 9) * splits.length + 1)
      }),
    )
  })

  it('matches a linear search through all rows', () => {
    const bySearch = (all: readonly number[], capacity: number) => {
      const rows: number[] = []
      const positions = new Array<{ row: number; start: number }>(all.length)
      for (const at of [...all.keys()].sort((a, b) => all[b]! - all[a]! || a - b)) {
        const fits = rows.findIndex((filled) => filled + all[at]! <= capacity)
        const row = fits < 0 ? rows.push(0) - 1 : fits
        positions[at] = { row, start: rows[row]! }
        rows[row]! += all[at]!
      }
      return positions
    }
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 1, max: 24 }), (all, capacity) => {
        const positions = packSequences(all, capacity).positions.map(({ row, start }) => ({ row, start }))
        expect(positions).toEqual(bySearch(all, capacity))
      }),
    )
  })

  it('packs a hundred thousand sequences in rows of their own quickly', () => {
    const before = process.cpuUsage().user
    expect(packSequences(new Array<number>(100_000).fill(300), 512)).toMatchObject({ rows: 100_000, length: 300 })
    expect(unpackedRows(new Array<number>(100_000).fill(3))).toMatchObject({ rows: 100_000, length: 3 })
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(10)
  })

  it('rejects a capacity of 0', () =>
    expect(() => packSequences([1], 0)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' })))
})

it('unpackedRows matches padTo', () => {
  const rows = [[5, 6], [7], [8, 9, 1]]
  const packing = unpackedRows(rows.map(({ length }) => length))
  expect(fillRows(rows, packing, 4, 2)).toEqual(padTo(rows, 4, 2))
  expect(() => fillRows(rows, packing, 2, 2)).toThrow(
    expect.objectContaining({ code: 'SEQUENCE_TOO_LONG', problem: expect.stringContaining('row 2') }),
  )
})

it('packedTextArrays restarts positions in each text and numbers the texts of a row', () => {
  const ids = [[5, 6], [7, 8, 9], [4]]
  const {
    inputIds,
    attentionMask: mask,
    tokenTypeIds,
    positionIds,
    segmentIds,
  } = packedTextArrays(ids, packSequences([2, 3, 1], 5), 6, 3)
  expect([...inputIds.values]).toEqual([7, 8, 9, 5, 6, 3, 4, 3, 3, 3, 3, 3])
  expect([...mask.values]).toEqual([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0])
  expect(mask).toEqual(attentionMask([[7, 8, 9, 5, 6], [4]], 6))
  expect([...tokenTypeIds.values]).toEqual(new Array(12).fill(0))
  expect([...positionIds.values]).toEqual([0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0])
  expect([...segmentIds.values]).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0])
})
