import { AttuneError, type HostArray, type Side } from '@attune/core'

/**
 * Lays sequences out as rows of equal length, filled up with `value`.
 * @param side where what is filled up stands: at the end, unless it is to be at the beginning
 * @returns int32, `(sequences, length)`.
 * @throws AttuneError `SEQUENCE_TOO_LONG` if a sequence has more than `length` entries.
 */
export function padTo(
  sequences: readonly ArrayLike<number>[],
  length: number,
  value: number,
  side: Side = 'right',
): HostArray {
  const values = new Int32Array(sequences.length * length).fill(value)
  sequences.forEach((sequence, row) => {
    refuseLonger(sequence.length, length, row)
    values.set(sequence, row * length + (side === 'left' ? length - sequence.length : 0))
  })
  return { shape: [sequences.length, length], dtype: 'int32', values }
}

/**
 * The mask that tells tokens (1) from padding (0) for sequences that {@link padTo} pads to the same `length`,
 * on the same side.
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
    refuseLonger(sequence.length, length, row)
    const from = row * length + (side === 'left' ? length - sequence.length : 0)
    values.fill(1, from, from + sequence.length)
  })
  return { shape: [sequences.length, length], dtype: 'int32', values }
}

/** @throws AttuneError `SEQUENCE_TOO_LONG` */
export function refuseLonger(actual: number, length: number, row: number): void {
  if (actual <= length) return
  throw new AttuneError(
    'SEQUENCE_TOO_LONG',
    `a sequence must fit into ${length} tokens, got ${actual} (row ${row} of the batch)`,
    'Pad to the longest sequence of the batch: padTo(sequences, paddedLength(longest, multiple, maximum), value).',
  )
}
