import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { crossEntropy as crossEntropyOfRows } from '@attune/nn'
import { z } from 'zod'

/**
 * Cross-entropy from logits and class labels, with label smoothing and class weights.
 *
 *     loss(z, y) = −Σ_c w_c · target_c · log softmax(z)_c
 *     target_c   = (1 − labelSmoothing) · [c = y] + labelSmoothing / classes
 *
 * As in torch.nn.CrossEntropyLoss with `reduction="none"`; the input is logits, not probabilities, so `−Σ_c target_c · log z_c`, without
 * the softmax, is wrong (Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.3). PyTorch's mean divides by
 * the sum of the class weights, the training loop by the number of rows. Near neighbour: focal loss weights each row by
 * `(1 − p)^γ`.
 */
export const crossEntropy = definePlugin({
  kind: LOSS,
  name: 'cross-entropy',
  summary: 'Cross-entropy from logits and class labels, with label smoothing and class weights',
  source: 'Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7 (smoothing)',
  options: z.strictObject({
    labelSmoothing: scheduled(z.number().min(0).lt(1).default(0)).describe(
      'Probability mass of the target that is spread uniformly over all classes',
    ),
    classWeights: z
      .array(z.number().min(0))
      .min(2)
      .optional()
      .describe('Weight of each class in the loss, in the order of the labels. Default: 1 for all'),
    ignoreIndex: z.int().optional().describe('Label whose rows have the loss 0 and no gradient. Default: none'),
  }),
  create: ({ labelSmoothing, ...o }): LossTerm => ({
    compares: 'labels',
    losses: (logits, labels) => crossEntropyOfRows(logits, labels, { smoothing: labelSmoothing, ...o }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss cross-entropy': typeof crossEntropy
  }
}

export default crossEntropy
