import type { HostArray } from '@attune/core'
import { requireWhole } from './require-whole.js'
import { refuseLonger } from './pad-to.js'

/** Where a sequence stands: its row, its first place in it, and how many stand in that row before it. */
export interface PackedPosition {
  readonly row: number
  readonly start: number
  readonly segment: number
}

/** How sequences are laid out in rows. */
export interface Packing {
  /** One for each sequence, in the order in which these were given. */
  readonly positions: readonly PackedPosition[]
  readonly rows: number
  /** What the fullest row holds. */
  readonly length: number
}

const greatest = (numbers: Iterable<number>): number => {
  let most = 0
  for (const each of numbers) if (each > most) most = each
  return most
}

/** Each sequence in a row of its own. */
export const unpackedRows = (lengths: readonly number[]): Packing => ({
  positions: lengths.map((_, row) => ({ row, start: 0, segment: 0 })),
  rows: lengths.length,
  length: greatest(lengths),
})

/** Rows that are filled from 0 up to a capacity, with a tree of the room in them: node `i` has the greater of `2i` and `2i + 1`. */
function roomIn(rows: number, capacity: number) {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, rows)))
  const room = new Float64Array(2 * size).fill(capacity)
  return {
    /** The first row with so much room. There must be one. */
    firstWith(length: number): number {
      let node = 1
      while (node < size) node = room[2 * node]! >= length ? 2 * node : 2 * node + 1
      return node - size
    },
    /** Fills so much of a row. Returns what was in it before. */
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
 * Packs sequences into few rows of at most `capacity`: the longest first, each into the first row that has room for it. A sequence
 * that is longer has a row of its own. The same lengths give the same rows.
 * Source: Johnson, Near-optimal bin packing algorithms, 1973 (first fit decreasing: at most 11/9 of the fewest rows, and one more).
 * @throws AttuneError `BAD_ARGUMENT` unless `capacity` is a whole number from 1.
 */
export function packSequences(lengths: readonly number[], capacity: number): Packing {
  requireWhole('packSequences', 'capacity', capacity, 1)
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
  return { positions, rows: segments.length, length: greatest(ends) }
}

/**
 * Lays sequences out as a packing says, the rest of each row filled up with `value`.
 * @returns int32, `(rows, length)`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if a row does not fit into `length`.
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
    refuseLonger(start + sequence.length, length, row)
    values.set(sequence, row * length + start)
  })
  return { shape: [rows, length], dtype: 'int32', values }
}
