import type { HostArray } from '@attune/core'

/** A float32 array in host memory; a vector where no shape is given. */
export const floats = (values: Iterable<number>, shape?: readonly number[]): HostArray => {
  const array = Float32Array.from(values)
  return { shape: shape ?? [array.length], dtype: 'float32', values: array }
}

/** An int32 array in host memory; a vector where no shape is given. */
export const integers = (values: Iterable<number>, shape?: readonly number[]): HostArray => {
  const array = Int32Array.from(values)
  return { shape: shape ?? [array.length], dtype: 'int32', values: array }
}

/** Token ids as the inputs of a text encoder, padded to `length` with `pad`, all of token type 0. */
export const textInputs = (
  rows: readonly (readonly number[])[],
  length = Math.max(...rows.map((row) => row.length)),
  pad = 0,
): { readonly inputIds: HostArray; readonly attentionMask: HostArray; readonly tokenTypeIds: HostArray } => {
  const shape = [rows.length, length]
  const laid = (f: (row: readonly number[], i: number) => number): HostArray =>
    integers(
      rows.flatMap((row) => Array.from({ length }, (_, i) => f(row, i))),
      shape,
    )
  return {
    inputIds: laid((row, i) => row[i] ?? pad),
    attentionMask: laid((row, i) => (i < row.length ? 1 : 0)),
    tokenTypeIds: laid(() => 0),
  }
}
