import { METRIC, type Metric, definePlugin } from '@attune/core'
import { type Contingency, addContingency, contingencyCounts, mergeContingency } from '@attune/data'
import { z } from 'zod'

/** Number of pairs of examples within groups of these sizes. */
const pairs = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + (count * (count - 1)) / 2, 0)

/**
 * Adjusted Rand index, `(index − expected) / (maximum − expected)`: `index` is the number of pairs of examples that share both cluster and class,
 * `maximum` the mean of the numbers of pairs in one cluster and of pairs in one class, and `expected` the value of `index` for random clusters
 * of the same sizes. In [−0.5, 1]; 1 for clusters that are the classes, about 0 for random ones. Names of clusters have no effect.
 */
export const adjustedRand = definePlugin({
  kind: METRIC,
  name: 'adjusted-rand',
  summary: 'Adjusted Rand index: agreement of clusters with classes, corrected for chance',
  source: 'Hubert and Arabie, Comparing Partitions, 1985, equation 5',
  options: z.strictObject({}),
  create: (): Metric<string, string, Contingency> => ({
    name: 'adjusted-rand',
    compares: 'cluster',
    direction: 'maximize',
    range: [-0.5, 1],
    init: () => ({}),
    add: addContingency,
    merge: mergeContingency,
    result(state) {
      const { cells, clusters, classes, total } = contingencyCounts(state)
      const [index, inClusters, inClasses] = [pairs(cells.map(({ count }) => count)), pairs(clusters), pairs(classes)]
      if (index === inClusters && index === inClasses) return { value: 1 } // the clusters are the classes
      const expected = (inClusters * inClasses) / pairs([total])
      return { value: (index - expected) / ((inClusters + inClasses) / 2 - expected) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric adjusted-rand': typeof adjustedRand
  }
}

export default adjustedRand
