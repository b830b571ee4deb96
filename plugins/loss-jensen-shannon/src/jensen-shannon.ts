import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { jensenShannonDivergence } from '@attune/nn'
import { z } from 'zod'

/**
 * Jensen–Shannon divergence of the softmax p of logits and target distributions t, in [0, ln 2].
 *
 *     loss(z, t) = ½ KL(t ‖ m) + ½ KL(p ‖ m),   m = (p + t) / 2
 *
 * SciPy's `jensenshannon` is the square root, the distance. Near neighbour: Kullback–Leibler divergence, not bounded.
 */
export const jensenShannon = definePlugin({
  kind: LOSS,
  name: 'jensen-shannon',
  summary: 'Jensen–Shannon divergence between target and predicted distribution',
  source: 'Lin, Divergence Measures Based on the Shannon Entropy, 1991, equation 3.4',
  options: z.strictObject({}),
  create: (): LossTerm => ({ compares: 'indicators', losses: jensenShannonDivergence }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss jensen-shannon': typeof jensenShannon
  }
}

export default jensenShannon
