import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { binaryCrossEntropy as binaryCrossEntropyOfRows } from '@attune/nn'
import { z } from 'zod'

/**
 * Binary cross-entropy from logits, the mean over the classes of each row.
 *
 *     loss(z, t) = −mean_c [w_c · t_c · ln σ(z_c) + (1 − t_c) · ln σ(−z_c)]
 *
 * As torch.nn.BCEWithLogitsLoss, averaged over the classes. The minus applies to both terms, and the input is logits, not
 * probabilities. Near neighbours: cross-entropy has exactly one class per row; binary focal loss reduces easy terms.
 */
export const binaryCrossEntropy = definePlugin({
  kind: LOSS,
  name: 'binary-cross-entropy',
  summary: 'Binary cross-entropy from logits, for multi-label targets',
  source: 'Bishop, Pattern Recognition and Machine Learning, 2006, equation 4.90',
  options: z.strictObject({
    positiveWeights: z
      .array(z.number().min(0))
      .min(1)
      .optional()
      .describe('Weight of the positive term of each class, in the order of the labels. Default: 1 for all'),
  }),
  create: ({ positiveWeights }): LossTerm => ({
    compares: 'indicators',
    losses: (logits, targets) => binaryCrossEntropyOfRows(logits, targets, positiveWeights),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss binary-cross-entropy': typeof binaryCrossEntropy
  }
}

export default binaryCrossEntropy
