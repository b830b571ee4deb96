import { type HostArray, isHostArray, leaves } from '@attune/core'

/** Largest difference between two lists of numbers, relative for values above 1. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!))
    largest = Number.isNaN(difference) ? Infinity : Math.max(largest, difference)
  }
  return largest
}

/**
 * Compares two trees of host arrays leaf by leaf; throws with the path of the first leaf whose shape differs or whose values differ
 * by more than `tolerance`.
 *
 * @example
 * ```ts no-run
 * import { expectClose, floats } from '@attune/testkit'
 * expectClose({ loss: floats([1], [0.5]) }, { loss: floats([1], [0.500001]) }, 1e-5)
 * ```
 */
export function expectClose(actual: unknown, expected: unknown, tolerance: number): void {
  const found = new Map<string, HostArray>(leaves(actual, isHostArray))
  for (const [path, leaf] of leaves(expected, isHostArray)) {
    const twin = found.get(path)
    if (twin === undefined) throw new Error(`"${path}" is missing`)
    if (String(twin.shape) !== String(leaf.shape))
      throw new Error(`"${path}" has shape [${twin.shape.join(', ')}], expected [${leaf.shape.join(', ')}]`)
    const difference = largestDifference(twin.values, leaf.values)
    if (!(difference <= tolerance)) throw new Error(`"${path}" differs by ${difference}, expected at most ${tolerance}`)
    found.delete(path)
  }
  if (found.size > 0) throw new Error(`unexpected ${[...found.keys()].join(', ')}`)
}
