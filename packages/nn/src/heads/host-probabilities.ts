import type { HostArray } from '@attune/core'

/** Values of row `i` of a host array `[rows, size]`, by default all of them, otherwise the first `count`. */
export function hostRow({ values, shape: [, size = 1] }: HostArray, i: number, count = size): number[] {
  return Array.from(values.subarray(i * size, i * size + count) as Float32Array)
}

/**
 * Softmax of logits on the host: their probabilities, which add up to 1.
 *
 * @example
 * ```ts
 * import { hostSoftmax } from '@attune/nn'
 * console.log(hostSoftmax([0, Math.log(3)]).map((probability) => probability.toFixed(2))) // [ '0.25', '0.75' ]
 * ```
 */
export function hostSoftmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits)
  const maximum = Math.max(...values)
  const powers = values.map((logit) => Math.exp(logit - maximum))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}

/** Sigmoid of each logit on the host: probabilities that do not depend on each other. */
export const hostSigmoid = (logits: readonly number[]): number[] => logits.map((logit) => 1 / (1 + Math.exp(-logit)))
