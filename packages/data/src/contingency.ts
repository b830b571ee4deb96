/** Number of examples by predicted cluster and true class; a key is the JSON of both. Plain JSON, the state of a metric; `{}` without examples. */
export type Contingency = Readonly<Record<string, number>>

/** Sum of two contingency tables. */
export const mergeContingency = (a: Contingency, b: Contingency): Contingency =>
  Object.entries(b).reduce((sum, [key, count]) => ({ ...sum, [key]: (sum[key] ?? 0) + count }), a)

/** Contingency table of the given one and more examples. */
export function addContingency(
  state: Contingency,
  clusters: readonly string[],
  classes: readonly string[],
): Contingency {
  const next: Record<string, number> = { ...state }
  for (const [i, cluster] of clusters.entries()) {
    const key = JSON.stringify([cluster, classes[i]])
    next[key] = (next[key] ?? 0) + 1
  }
  return next
}

/** Counts of a contingency table: of its cells, its clusters, its classes, and in total. */
export interface ContingencyCounts {
  /** Non-empty cells, with the counts of their cluster and class. */
  readonly cells: readonly { readonly count: number; readonly ofCluster: number; readonly ofClass: number }[]
  readonly clusters: readonly number[]
  readonly classes: readonly number[]
  readonly total: number
}

/** Sums a contingency table over its clusters and its classes. */
export function contingencyCounts(state: Contingency): ContingencyCounts {
  const entries = Object.entries(state).map(
    ([key, count]) => [...(JSON.parse(key) as [string, string]), count] as const,
  )
  const [clusters, classes] = [new Map<string, number>(), new Map<string, number>()]
  for (const [cluster, name, count] of entries) {
    clusters.set(cluster, (clusters.get(cluster) ?? 0) + count)
    classes.set(name, (classes.get(name) ?? 0) + count)
  }
  const cells = entries.map(([cluster, name, count]) => ({
    count,
    ofCluster: clusters.get(cluster)!,
    ofClass: classes.get(name)!,
  }))
  const total = cells.reduce((sum, { count }) => sum + count, 0)
  return { cells, clusters: [...clusters.values()], classes: [...classes.values()], total }
}

/** Entropy of groups of these sizes, in nats. */
const entropy = (counts: readonly number[], total: number): number =>
  counts.reduce((sum, count) => sum - (count / total) * Math.log(count / total), 0)

/**
 * Normalized mutual information of a contingency table, `I(cluster; class) / ((H(cluster) + H(class)) / 2)`, in [0, 1]; 1 if both have one
 * group only. Source: Strehl and Ghosh, Cluster Ensembles, 2002, section 2.2; with the arithmetic mean of the entropies.
 */
export function normalizedInformation(state: Contingency): number {
  const { cells, clusters, classes, total } = contingencyCounts(state)
  if (clusters.length <= 1 && classes.length <= 1) return 1
  const information = cells.reduce(
    (sum, { count, ofCluster, ofClass }) => sum + (count / total) * Math.log((count / ofCluster) * (total / ofClass)),
    0,
  )
  const mean = (entropy(clusters, total) + entropy(classes, total)) / 2
  return Math.min(1, Math.max(0, information / mean))
}
