import type { HostArray } from '@attune/core'
import { requireWhole } from './require-whole.js'
import { refuseLonger } from './pad-to.js'

/** Where a sequence stands: its row, its first place in it, and how many stand in that row before it. */
export interface Place {
  readonly row: number
  readonly start: number
  readonly segment: number
}

/** How sequences are laid out in rows. */
export interface Packing {
  /** One for each sequence, in the order in which these were given. */
  readonly places: readonly Place[]
  readonly rows: number
  /** What the fullest row holds. */
  readonly length: number
}

/** Each sequence in a row of its own. */
export const eachInItsRow = (lengths: readonly number[]): Packing => ({
  places: lengths.map((_, row) => ({ row, start: 0, segment: 0 })),
  rows: lengths.length,
  length: Math.max(0, ...lengths),
})

/**
 * Packs sequences into few rows of at most `capacity`: the longest first, each into the first row that has room for it. A sequence
 * that is longer has a row of its own. The same lengths give the same rows.
 * Source: Johnson, Near-optimal bin packing algorithms, 1973 (first fit decreasing: at most 11/9 of the fewest rows, and one more).
 * @throws AttuneError `BAD_ARGUMENT` unless `capacity` is a whole number from 1.
 */
export function packSequences(lengths: readonly number[], capacity: number): Packing {
  requireWhole('packSequences', 'capacity', capacity, 1)
  const rows: { filled: number; segments: number }[] = []
  const places = new Array<Place>(lengths.length)
  const longestFirst = lengths.map((_, at) => at).sort((a, b) => lengths[b]! - lengths[a]! || a - b)
  for (const at of longestFirst) {
    const length = lengths[at]!
    const fits = rows.findIndex(({ filled }) => filled + length <= capacity)
    const row = fits < 0 ? rows.push({ filled: 0, segments: 0 }) - 1 : fits
    const { filled, segments } = rows[row]!
    places[at] = { row, start: filled, segment: segments }
    rows[row] = { filled: filled + length, segments: segments + 1 }
  }
  return { places, rows: rows.length, length: Math.max(0, ...rows.map(({ filled }) => filled)) }
}

/**
 * Lays sequences out as a packing says, the rest of each row filled up with `value`.
 * @returns int32, `(rows, length)`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if a row does not fit into `length`.
 */
export function layOut(
  sequences: readonly ArrayLike<number>[],
  { places, rows }: Packing,
  length: number,
  value: number,
): HostArray {
  const values = new Int32Array(rows * length).fill(value)
  sequences.forEach((sequence, at) => {
    const { row, start } = places[at]!
    refuseLonger(start + sequence.length, length, row)
    values.set(sequence, row * length + start)
  })
  return { shape: [rows, length], dtype: 'int32', values }
}
