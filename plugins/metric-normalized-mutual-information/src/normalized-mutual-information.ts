import { METRIC, type Metric, definePlugin } from '@attune/core'
import { type Contingency, addContingency, mergeContingency, normalizedInformation } from '@attune/data'
import { z } from 'zod'

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
    result: (state) => ({ value: normalizedInformation(state) }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric normalized-mutual-information': typeof normalizedMutualInformation
  }
}

export default normalizedMutualInformation
