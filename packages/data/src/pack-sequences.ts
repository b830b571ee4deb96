import type { HostArray } from '@attune/core'
import { requireInteger } from './require-integer.js'
import { requireFits } from './pad-to.js'

/** Position of a packed sequence: its row, its first column, and its index among the sequences of the row. */
export interface PackedPosition {
  readonly row: number
  readonly start: number
  readonly segment: number
}

/** A packing of sequences into rows. */
export interface Packing {
  /** One position per sequence, in input order. */
  readonly positions: readonly PackedPosition[]
  readonly rows: number
  /** Length of the fullest row. */
  readonly length: number
}

const maximumOf = (numbers: Iterable<number>): number => {
  let maximum = 0
  for (const each of numbers) if (each > maximum) maximum = each
  return maximum
}

/** Returns the trivial packing, with each sequence in a row of its own. */
export const unpackedRows = (lengths: readonly number[]): Packing => ({
  positions: lengths.map((_, row) => ({ row, start: 0, segment: 0 })),
  rows: lengths.length,
  length: maximumOf(lengths),
})

/** Rows of limited capacity, with a segment tree of their free space: node `i` holds the maximum of `2i` and `2i + 1`. */
function roomIn(rows: number, capacity: number) {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, rows)))
  const room = new Float64Array(2 * size).fill(capacity)
  return {
    /** Returns the first row with at least `length` free; one must exist. */
    firstWith(length: number): number {
      let node = 1
      while (node < size) node = room[2 * node]! >= length ? 2 * node : 2 * node + 1
      return node - size
    },
    /** Fills `length` of a row. Returns its previous fill level. */
    fill(row: number, length: number): number {
      let node = row + size
      const filled = capacity - room[node]!
      room[node]! -= length
      for (node >>= 1; node >= 1; node >>= 1) room[node] = Math.max(room[2 * node]!, room[2 * node + 1]!)
      return filled
    },
  }
}

/**
 * Sequence packing by first-fit decreasing: the longest first, each into the first row with enough room of at most `capacity`.
 * A longer sequence gets a row of its own. Deterministic.
 * Source: Johnson, Near-optimal bin packing algorithms, 1973 (at most 11/9 of the minimum number of rows, plus one).
 * @throws AttuneError `BAD_ARGUMENT` unless `capacity` is an integer ≥ 1.
 *
 * @example
 * ```ts
 * import { fillRows, packSequences } from '@attune/data'
 * const sequences = [[1, 2, 3], [4, 5], [6]]
 * const packing = packSequences([3, 2, 1], 4)
 * console.log(packing.rows, fillRows(sequences, packing, 4, 0).values.join()) // 2 1,2,3,6,4,5,0,0
 * ```
 */
export function packSequences(lengths: readonly number[], capacity: number): Packing {
  requireInteger('packSequences', 'capacity', capacity, 1)
  const room = roomIn(lengths.length, capacity)
  const segments: number[] = []
  const positions = new Array<PackedPosition>(lengths.length)
  const longestFirst = lengths.map((_, at) => at).sort((a, b) => lengths[b]! - lengths[a]! || a - b)
  for (const at of longestFirst) {
    const length = lengths[at]!
    const row = length > capacity ? segments.length : room.firstWith(length)
    const segment = segments[row] ?? 0
    segments[row] = segment + 1
    positions[at] = { row, start: room.fill(row, length), segment }
  }
  const ends = positions.map(({ start }, at) => start + lengths[at]!)
  return { positions, rows: segments.length, length: maximumOf(ends) }
}

/**
 * Arranges sequences according to a packing and pads the rows with `value`.
 * @returns int32, `(rows, length)`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if a row is longer than `length`.
 */
export function fillRows(
  sequences: readonly ArrayLike<number>[],
  { positions, rows }: Packing,
  length: number,
  value: number,
): HostArray {
  const values = new Int32Array(rows * length).fill(value)
  sequences.forEach((sequence, at) => {
    const { row, start } = positions[at]!
    requireFits(start + sequence.length, length, row)
    values.set(sequence, row * length + start)
  })
  return { shape: [rows, length], dtype: 'int32', values }
}
