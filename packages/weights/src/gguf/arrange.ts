import type { HostArray } from '@attune/core'

/** The first two dimensions, or the one there is. */
export type Arrangement = (array: HostArray) => HostArray

/** `[rows, columns]` as `[columns, rows]`. */
export const transposed: Arrangement = ({ shape, dtype, values }) => {
  const [rows, columns] = shape as [number, number]
  const turned = values.slice()
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c]!
  return { shape: [columns, rows], dtype, values: turned }
}

/**
 * Rows of the query or key projection as the Hugging Face library has them. It turns the first half of a head's numbers
 * with the second; the format's programs turn neighbours, so that its files have the halves interleaved.
 * `[heads · headSize, …]`, headSize even
 */
export const unleaved =
  (heads: number): Arrangement =>
  ({ shape, dtype, values }) => {
    const rows = shape[0]!
    const width = values.length / rows
    const headSize = rows / heads
    const sorted = values.slice()
    for (let row = 0; row < rows; row++) {
      const within = row % headSize
      const to = row - within + (within % 2) * (headSize / 2) + (within >> 1)
      sorted.set(values.subarray(row * width, (row + 1) * width), to * width)
    }
    return { shape, dtype, values: sorted }
  }

/** The weights of a norm as what is added to 1, which is what Gemma's checkpoints hold; the format's files hold the sum. */
export const lessOne: Arrangement = ({ shape, dtype, values }) => ({
  shape,
  dtype,
  values: Float32Array.from(values, (x) => x - 1),
})
