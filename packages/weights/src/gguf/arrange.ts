import type { HostArray } from '@attune/core'

/** A conversion of tensor values from the GGUF to the transformers layout. */
export type Arrangement = (array: HostArray) => HostArray

/** Transposes a matrix: `[rows, columns]` to `[columns, rows]`. */
export const transposed: Arrangement = ({ shape, dtype, values }) => {
  const [rows, columns] = shape as [number, number]
  const result = values.slice()
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!
  return { shape: [columns, rows], dtype, values: result }
}

/**
 * Permutes the rows of a query or key projection to the transformers layout. transformers rotates the first half of a head's
 * dimensions with the second; llama.cpp rotates adjacent ones, so GGUF files have the halves interleaved.
 * `[heads · headSize, …]`, headSize even
 */
export const deinterleaved =
  (heads: number): Arrangement =>
  ({ shape, dtype, values }) => {
    const rows = shape[0]!
    const width = values.length / rows
    const headSize = rows / heads
    const result = values.slice()
    for (let row = 0; row < rows; row++) {
      const within = row % headSize
      const to = row - within + (within % 2) * (headSize / 2) + (within >> 1)
      result.set(values.subarray(row * width, (row + 1) * width), to * width)
    }
    return { shape, dtype, values: result }
  }

/** Subtracts 1 from the weights of a norm: Gemma checkpoints hold offsets from 1, GGUF files the sum. */
export const minusOne: Arrangement = ({ shape, dtype, values }) => ({
  shape,
  dtype,
  values: Float32Array.from(values, (x) => x - 1),
})
