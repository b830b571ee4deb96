import { shuffled } from '@attune/core'

/**
 * Stratified sample sizes by the largest remainder method: returns the number of examples to take from each class, `total` of
 * `count` overall. Each class gets its exact quota rounded down, plus one for the largest remainders, but never all of its examples.
 * @param sizes the number of examples of each class, with sum `count`
 * @param random breaks ties between equal remainders
 */
export function apportion(
  sizes: readonly number[],
  count: number,
  total: number,
  random: () => number,
): readonly number[] {
  const taken = sizes.map((size) => Math.floor((total * size) / count))
  let left = total - taken.reduce((sum, n) => sum + n, 0)
  // Integers, so that equal remainders compare equal exactly.
  const remainder = (i: number): number => (total * sizes[i]!) % count
  const order = shuffled([...sizes.keys()], random).sort((a, b) => remainder(b) - remainder(a))
  for (const i of order) {
    if (left === 0 || remainder(i) === 0 || taken[i]! + 1 >= sizes[i]!) continue
    taken[i]!++
    left--
  }
  return taken
}
