import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { cosineDistance } from '@attune/nn'
import { z } from 'zod'

/**
 * Cosine distance of vectors and target vectors, in [0, 2].
 *
 *     loss(o, t) = 1 − o · t / (‖o‖ · ‖t‖)
 *
 * As torch.nn.CosineEmbeddingLoss for pairs that belong together. Near neighbours: squared error, which also compares
 * lengths; InfoNCE, which also separates each vector from those of other rows.
 */
export const cosine = definePlugin({
  kind: LOSS,
  name: 'cosine',
  summary: 'Cosine distance between vectors and target vectors',
  source: 'Salton et al., A Vector Space Model for Automatic Indexing, 1975',
  options: z.strictObject({}),
  create: (): LossTerm => ({ compares: 'vectors', losses: cosineDistance }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss cosine': typeof cosine
  }
}

export default cosine
