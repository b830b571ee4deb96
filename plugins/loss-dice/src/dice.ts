import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { diceLoss, oneHotRows } from '@attune/nn'
import { sigmoid, softmax } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Dice loss from logits: one minus the soft F1 (Sørensen–Dice coefficient) of the classes of each row.
 *
 *     loss(z, t) = 1 − (2 Σ_c q_c · t_c + smooth) / (Σ_c q_c + Σ_c t_c + smooth),   q = (1 − p)^downWeighting · p
 *
 * p is softmax(z) with one-hot targets, or σ(z). Near neighbour: in image segmentation the sums are over pixels.
 */
export const dice = definePlugin({
  kind: LOSS,
  name: 'dice',
  summary: 'Dice loss: one minus the soft F1 between the predicted and the target classes of a row',
  source: 'Li et al., Dice Loss for Data-imbalanced NLP Tasks, 2020, equations 6, 7 and 11',
  options: z.strictObject({
    activation: z
      .enum(['softmax', 'sigmoid'])
      .default('softmax')
      .describe('softmax: one class per row; sigmoid: independent classes (multi-label)'),
    smooth: scheduled(z.number().positive().max(100).default(1)).describe('Added to numerator and denominator'),
    squared: z.boolean().default(false).describe('Square probabilities and targets in the denominator'),
    downWeighting: scheduled(z.number().min(0).max(10).default(0)).describe(
      'Exponent α of the factor (1 − p)^α on each probability, which reduces the weight of easy classes',
    ),
  }),
  create: ({ activation, ...o }): LossTerm =>
    activation === 'softmax'
      ? {
          compares: 'labels',
          losses: (logits, labels) => diceLoss(softmax(logits), oneHotRows(labels, logits.shape[1] as number), o),
        }
      : { compares: 'indicators', losses: (logits, targets) => diceLoss(sigmoid(logits), targets, o) },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss dice': typeof dice
  }
}

export default dice
