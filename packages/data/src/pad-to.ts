import { AttuneError, type HostArray, type Side } from '@attune/core'

/**
 * Pads sequences to rows of equal length.
 * @param value the padding value
 * @param side the padding side; default right
 * @returns int32, `(sequences, length)`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if a sequence has more than `length` entries.
 *
 * @example
 * ```ts
 * import { padTo } from '@attune/data'
 * console.log(padTo([[5, 6], [7]], 3, 0).values.join()) // 5,6,0,7,0,0
 * console.log(padTo([[5, 6], [7]], 3, 0, 'left').values.join()) // 0,5,6,0,0,7
 * ```
 */
export function padTo(
  sequences: readonly ArrayLike<number>[],
  length: number,
  value: number,
  side: Side = 'right',
): HostArray {
  const values = new Int32Array(sequences.length * length).fill(value)
  sequences.forEach((sequence, row) => {
    requireFits(sequence.length, length, row)
    values.set(sequence, row * length + (side === 'left' ? length - sequence.length : 0))
  })
  return { shape: [sequences.length, length], dtype: 'int32', values }
}

/**
 * Padding mask of sequences: 1 for tokens, 0 for padding, as {@link padTo} pads them to `length` on the same side.
 * @returns int32, `(sequences, length)`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if a sequence has more than `length` entries.
 */
export function attentionMask(
  sequences: readonly { readonly length: number }[],
  length: number,
  side: Side = 'right',
): HostArray {
  const values = new Int32Array(sequences.length * length)
  sequences.forEach((sequence, row) => {
    requireFits(sequence.length, length, row)
    const from = row * length + (side === 'left' ? length - sequence.length : 0)
    values.fill(1, from, from + sequence.length)
  })
  return { shape: [sequences.length, length], dtype: 'int32', values }
}

/** @throws AttuneError `SEQUENCE_TOO_LONG` */
export function requireFits(actual: number, length: number, row: number): void {
  if (actual <= length) return
  throw new AttuneError(
    'SEQUENCE_TOO_LONG',
    `expected a sequence of at most ${length} tokens, got ${actual} (row ${row} of the batch)`,
    'Pad to the longest sequence of the batch: padTo(sequences, paddedLength(longest, multiple, maximum), value).',
  )
}
