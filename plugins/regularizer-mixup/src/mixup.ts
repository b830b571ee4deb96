import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { classLogits, keyAt, mixupLoss, symmetricBeta } from '@attune/nn'
import { reshape } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Separates the mixing ratio from the dropout of the model. */
const STREAM = 504

/**
 * Mixup (wordMixup): trains on mixtures of the word embeddings of two texts, with the losses of both labels.
 *
 *     e ← λ · e₁ + (1 − λ) · e₂,   λ ~ Beta(alpha, alpha)
 *     loss ← λ · loss(e, y₁) + (1 − λ) · loss(e, y₂)
 *
 * One λ per batch, as in the authors' code; each example is mixed with the next one of the batch, whose order is random. The shorter
 * text is padded with zeros. The loss of the mixed labels replaces that of the texts themselves. It equals the cross-entropy of the mixed
 * label. For the logits of a classifier of texts. Near neighbour: senMixup mixes the pooled vectors instead.
 */
export const mixup = definePlugin({
  kind: REGULARIZER,
  name: 'mixup',
  summary: 'Mixup of word embeddings and labels',
  source:
    'Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018; Guo, Mao and Zhang, Augmenting Data with Mixup for Sentence Classification, 2019, section 3',
  options: z.strictObject({
    alpha: scheduled(z.number().min(0.01).max(100).default(1)).describe(
      'Parameter of the Beta distribution; 1 is uniform, smaller values mix less',
    ),
  }),
  create: ({ alpha }) => ({
    comparesExamples: true,
    wrap: (loss) => (call) => {
      const { mode } = call
      if (!mode.training) return loss(call)
      const ratio = reshape(symmetricBeta(keyAt(mode.key, STREAM), alpha, 1), [])
      const mixed = mixupLoss(loss, call, ratio, 'mixup')
      classLogits(mixed.head, 'mixup')
      return mixed
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer mixup': typeof mixup
  }
}

export default mixup
