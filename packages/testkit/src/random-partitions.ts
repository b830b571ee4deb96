/** A random partition: each boundary between two of `count` is kept with probability one half. */
function randomPartition(count: number, random: () => number): readonly number[] {
  const sizes = [1]
  for (let i = 1; i < count; i++)
    if (random() < 0.5) sizes.push(1)
    else sizes[sizes.length - 1]!++
  return sizes
}

/**
 * Partitions of a batch of at least three examples into micro-batches, as lists of their sizes: single examples, two micro-batches of which the last is smaller,
 * and random partitions.
 * @param number number of random partitions
 * @param random uniform numbers in [0, 1)
 */
export const randomPartitions = (
  count: number,
  number: number,
  random: () => number,
): readonly (readonly number[])[] => {
  const larger = Math.floor(count / 2) + 1
  return [
    new Array<number>(count).fill(1),
    [larger, count - larger],
    ...Array.from({ length: number }, () => randomPartition(count, random)),
  ]
}
