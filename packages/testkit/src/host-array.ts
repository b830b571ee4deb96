import type { HostArray } from '@attune/core'

/** Float32 array in host memory; a vector unless a shape is given. */
export const floats = (values: Iterable<number>, shape?: readonly number[]): HostArray => {
  const array = Float32Array.from(values)
  return { shape: shape ?? [array.length], dtype: 'float32', values: array }
}

/** Int32 array in host memory; a vector unless a shape is given. */
export const integers = (values: Iterable<number>, shape?: readonly number[]): HostArray => {
  const array = Int32Array.from(values)
  return { shape: shape ?? [array.length], dtype: 'int32', values: array }
}

/** Inputs of a text encoder from token ids, padded to `length` with `pad`, with token type 0. */
export const textInputs = (
  rows: readonly (readonly number[])[],
  length = Math.max(...rows.map((row) => row.length)),
  pad = 0,
): { readonly inputIds: HostArray; readonly attentionMask: HostArray; readonly tokenTypeIds: HostArray } => {
  const shape = [rows.length, length]
  const grid = (f: (row: readonly number[], i: number) => number): HostArray =>
    integers(
      rows.flatMap((row) => Array.from({ length }, (_, i) => f(row, i))),
      shape,
    )
  return {
    inputIds: grid((row, i) => row[i] ?? pad),
    attentionMask: grid((row, i) => (i < row.length ? 1 : 0)),
    tokenTypeIds: grid(() => 0),
  }
}
