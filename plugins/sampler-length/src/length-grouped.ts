/** Maximum number of batches in a group of examples that are sorted together. */
const MAXIMUM_BATCHES = 50

/**
 * Groups examples by length as transformers' `get_length_grouped_indices` does: a shuffled order is divided into large groups, each sorted
 * from long to short; the longest example of all comes first, so that an out-of-memory error occurs at once.
 * @param order a permutation of the indices
 */
export function lengthGrouped(
  order: readonly number[],
  length: (index: number) => number,
  batchSize: number,
): readonly number[] {
  const batches = Math.min(Math.floor(order.length / (batchSize * 4)), MAXIMUM_BATCHES)
  const size = Math.max(1, batches) * batchSize
  const groups = Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
    order.slice(i * size, (i + 1) * size).sort((a, b) => length(b) - length(a)),
  )
  const longest = groups.reduce((best, group, i) => (length(group[0]!) > length(groups[best]![0]!) ? i : best), 0)
  const [first, other] = [groups[0], groups[longest]]
  if (first !== undefined && other !== undefined) [first[0], other[0]] = [other[0]!, first[0]!]
  return groups.flat()
}
