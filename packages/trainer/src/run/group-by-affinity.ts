type Partition = readonly (readonly number[])[]

/** All partitions of the indices from `next` to `count − 1` added to the groups of the earlier ones. */
function* partitions(count: number, next = 0, groups: Partition = []): Generator<Partition> {
  if (next === count) return yield groups
  for (const [at, group] of groups.entries()) yield* partitions(count, next + 1, groups.with(at, [...group, next]))
  yield* partitions(count, next + 1, [...groups, [next]])
}

/**
 * The partition of tasks with the highest total, over the tasks, of the mean affinity of the others in its group to a task; a task alone
 * counts 0. All partitions are compared, of which there are 4,140 for 8 tasks and 115,975 for 10.
 * Source: Fifty et al., 2021, section 3.3 (for groups without overlap).
 * @param affinities affinity of the task of a row to that of a column
 */
export function groupByAffinity(affinities: readonly (readonly number[])[]): Partition {
  const scoreOf = (groups: Partition): number =>
    groups.reduce((total, group) => {
      const pairs = group.flatMap((to) => group.map((from) => (from === to ? 0 : affinities[from]![to]!)))
      return total + pairs.reduce((sum, each) => sum + each, 0) / Math.max(1, group.length - 1)
    }, 0)
  let [best, highest]: [Partition, number] = [affinities.map((_, i) => [i]), 0]
  for (const groups of partitions(affinities.length)) {
    const score = scoreOf(groups)
    if (score > highest) [best, highest] = [groups, score]
  }
  return best
}
