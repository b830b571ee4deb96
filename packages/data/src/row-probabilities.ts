import type { HostArray } from '@attune/core'

/** The first `count` values of a row of `[rows, size]`. */
const rowOf = ({ values, shape }: HostArray, row: number, count = shape[1]!): number[] =>
  Array.from(values.subarray(row * shape[1]!, row * shape[1]! + count))

/**
 * Softmax over the first `count` values of a row of logits `[rows, size]`.
 * @param count default: all of the row
 *
 * @example
 * ```ts
 * import { softmaxRow } from '@attune/data'
 * const logits = { shape: [2, 2], dtype: 'float32', values: Float32Array.of(0, 1, 3, 3) } as const
 * console.log(softmaxRow(logits, 1)) // [ 0.5, 0.5 ]
 * ```
 */
export function softmaxRow(logits: HostArray, row: number, count?: number): number[] {
  const own = rowOf(logits, row, count)
  const maximum = Math.max(...own)
  const powers = own.map((logit) => Math.exp(logit - maximum))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

/**
 * Sigmoid of the first `count` values of a row of logits `[rows, size]`.
 * @param count default: all of the row
 *
 * @example
 * ```ts
 * import { sigmoidRow } from '@attune/data'
 * const logits = { shape: [2, 2], dtype: 'float32', values: Float32Array.of(0, 1, 0, -1000) } as const
 * console.log(sigmoidRow(logits, 1)) // [ 0.5, 0 ]
 * ```
 */
export const sigmoidRow = (logits: HostArray, row: number, count?: number): number[] =>
  rowOf(logits, row, count).map((logit) => 1 / (1 + Math.exp(-logit)))
