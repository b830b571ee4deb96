import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { infoNce as infoNceOfRows, unitRows } from '@attune/nn'
import { div } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * InfoNCE with in-batch negatives, over cosine similarities.
 *
 *     loss_i = −ln [exp(cos(q_i, k_i) / temperature) / Σ_j exp(cos(q_i, k_j) / temperature)]
 *
 * The default is the loss of objective-contrastive. `symmetric` also classifies each key among the queries, as in CLIP.
 * MultipleNegativesRankingLoss of sentence-transformers has `scale` = 1 / temperature.
 */
export const infoNce = definePlugin({
  kind: LOSS,
  name: 'info-nce',
  summary: 'InfoNCE: cross-entropy of the own partner among all partners of the batch',
  source: 'van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018, equation 4',
  options: z.strictObject({
    temperature: scheduled(z.number().min(0.001).max(100).default(0.05)).describe('Divisor of the cosine similarities'),
    symmetric: z
      .boolean()
      .default(false)
      .describe('Average with the loss of the inverse direction: each partner among all texts'),
  }),
  create: ({ temperature, symmetric }): LossTerm => ({
    compares: 'pairs',
    losses: (queries, keys) =>
      infoNceOfRows(unitRows(queries), unitRows(keys), { scale: div(1, temperature), symmetric }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss info-nce': typeof infoNce
  }
}

export default infoNce
