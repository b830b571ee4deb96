import { shuffled } from '@attune/core'

/**
 * How many of each class to take, `total` in all of `count`, by largest remainders: each class' exact share rounded down, and one more
 * for those with the largest remainders, but never the whole of a class.
 * @param sizes how many there are of each class; `count` is their sum
 * @param random decides between equal remainders
 */
export function apportion(
  sizes: readonly number[],
  count: number,
  total: number,
  random: () => number,
): readonly number[] {
  const taken = sizes.map((size) => Math.floor((total * size) / count))
  let left = total - taken.reduce((sum, n) => sum + n, 0)
  // Whole numbers, so that equal remainders are equal exactly.
  const remainder = (i: number): number => (total * sizes[i]!) % count
  const order = shuffled([...sizes.keys()], random).sort((a, b) => remainder(b) - remainder(a))
  for (const i of order) {
    if (left === 0 || remainder(i) === 0 || taken[i]! + 1 >= sizes[i]!) continue
    taken[i]!++
    left--
  }
  return taken
}
