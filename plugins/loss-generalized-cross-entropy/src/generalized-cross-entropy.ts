import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { generalizedCrossEntropyLoss } from '@attune/nn'
import { z } from 'zod'

/**
 * Generalized cross-entropy from logits, for labels of which some are wrong.
 *
 *     loss(z, y) = (1 − p_y^q) / q, p = softmax(z)
 *
 * Its gradient is that of cross-entropy times p_y^q: labels that the model finds improbable, as wrong ones are once it has learned something, count
 * little. Cross-entropy as q approaches 0; at 1 every label counts the same, which is robust but learns slowly.
 */
export const generalizedCrossEntropy = definePlugin({
  kind: LOSS,
  name: 'generalized-cross-entropy',
  summary: 'Generalized cross-entropy: robust to wrong labels',
  source:
    'Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, 2018, equation 6',
  options: z.strictObject({
    q: scheduled(z.number().min(1e-3).max(1).default(0.7)).describe(
      'Exponent: towards 0 cross-entropy, 1 the most robust, which learns slowly',
    ),
  }),
  create: ({ q }): LossTerm => ({
    compares: 'labels',
    losses: (logits, labels) => generalizedCrossEntropyLoss(logits, labels, q),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss generalized-cross-entropy': typeof generalizedCrossEntropy
  }
}

export default generalizedCrossEntropy
