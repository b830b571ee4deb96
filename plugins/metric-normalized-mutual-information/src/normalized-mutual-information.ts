import { METRIC, type Metric, definePlugin } from '@attune/core'
import { type Contingency, addContingency, contingencyCounts, mergeContingency } from '@attune/data'
import { z } from 'zod'

/** Entropy of groups of these sizes, in nats. */
const entropy = (counts: readonly number[], total: number): number =>
  counts.reduce((sum, count) => sum - (count / total) * Math.log(count / total), 0)

/**
 * Normalized mutual information of clusters and classes, `I(cluster; class) / ((H(cluster) + H(class)) / 2)`, in [0, 1]; 1 for clusters that are the
 * classes. It is not corrected for chance: more clusters reach larger values. Names of clusters have no effect.
 */
export const normalizedMutualInformation = definePlugin({
  kind: METRIC,
  name: 'normalized-mutual-information',
  summary: 'Normalized mutual information of clusters and classes',
  source: 'Strehl and Ghosh, Cluster Ensembles, 2002, section 2.2; with the arithmetic mean of the entropies',
  options: z.strictObject({}),
  create: (): Metric<string, string, Contingency> => ({
    name: 'normalized-mutual-information',
    compares: 'cluster',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({}),
    add: addContingency,
    merge: mergeContingency,
    result(state) {
      const { cells, clusters, classes, total } = contingencyCounts(state)
      if (clusters.length <= 1 && classes.length <= 1) return { value: 1 } // one group only
      const information = cells.reduce(
        (sum, { count, ofCluster, ofClass }) =>
          sum + (count / total) * Math.log((count / ofCluster) * (total / ofClass)),
        0,
      )
      const mean = (entropy(clusters, total) + entropy(classes, total)) / 2
      return { value: Math.min(1, Math.max(0, information / mean)) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric normalized-mutual-information': typeof normalizedMutualInformation
  }
}

export default normalizedMutualInformation
