import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { crossEntropy as crossEntropyOfRows } from '@attune/nn'
import { z } from 'zod'

/**
 * Cross-entropy from logits and class labels, with label smoothing.
 *
 *     loss(z, y) = −Σ_c target_c · log softmax(z)_c
 *     target_c   = (1 − labelSmoothing) · [c = y] + labelSmoothing / classes
 *
 * As in torch.nn.CrossEntropyLoss with `reduction="none"`. Near neighbour: focal loss weights each row by `(1 − p)^γ`.
 */
export const crossEntropy = definePlugin({
  kind: LOSS,
  name: 'cross-entropy',
  summary: 'Cross-entropy from logits and class labels, with label smoothing',
  source: 'Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7 (smoothing)',
  options: z.strictObject({
    labelSmoothing: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('Probability mass of the target that is spread uniformly over all classes'),
  }),
  create: ({ labelSmoothing }): LossTerm => ({
    compares: 'labels',
    losses: (logits, labels) => crossEntropyOfRows(logits, labels, labelSmoothing),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss cross-entropy': typeof crossEntropy
  }
}

export default crossEntropy
