import { ADAPTER, definePlugin } from '@attune/core'
import { trainOnly } from '@attune/nn'
import { z } from 'zod'

/**
 * Linear probing: the head of the objective trains, and the model is frozen. A language-modeling head, which has a row for each token,
 * is frozen too. Throws AttuneError `NOTHING_TRAINS` if the objective has no head of its own.
 */
export const headOnly = definePlugin({
  kind: ADAPTER,
  name: 'head-only',
  summary: 'Linear probing: trains the head on a frozen model',
  source: 'Alain and Bengio, Understanding Intermediate Layers Using Linear Classifier Probes, 2017',
  options: z.strictObject({}),
  create: () => trainOnly('head-only', () => () => false),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter head-only': typeof headOnly
  }
}

export default headOnly
