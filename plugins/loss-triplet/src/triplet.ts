import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { tripletLoss } from '@attune/nn'
import { z } from 'zod'

/**
 * Triplet loss: the partner p_i of an anchor a_i must be nearer than the partners of the other rows, by a margin.
 *
 *     loss_i = max(0, margin + d(a_i, p_i) − d(a_i, p_j))   for the hardest j ≠ i, or the mean over all j ≠ i
 *
 * As torch.nn.TripletMarginLoss for each triplet. Near neighbour: InfoNCE, a softmax over the same negatives.
 */
export const triplet = definePlugin({
  kind: LOSS,
  name: 'triplet',
  summary: 'Triplet loss with in-batch negatives',
  source: 'Schroff et al., FaceNet, 2015, equation 3; Hermans et al., In Defense of the Triplet Loss, 2017, equation 5',
  options: z.strictObject({
    margin: scheduled(z.number().positive().max(1000).default(1)).describe('Minimum difference of the distances'),
    distance: z
      .enum(['euclidean', 'cosine'])
      .default('euclidean')
      .describe('Euclidean distance, or one minus the cosine similarity, in [0, 2]'),
    negatives: z
      .enum(['all', 'hardest'])
      .default('all')
      .describe('The mean over the partners of all other rows, or only the nearest of them'),
  }),
  create: (o): LossTerm => ({ compares: 'pairs', losses: (anchors, partners) => tripletLoss(anchors, partners, o) }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss triplet': typeof triplet
  }
}

export default triplet
