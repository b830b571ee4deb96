import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { keyAt, lossAtWordEmbeddings, noise } from '@attune/nn'
import { add, mul, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Separates the noise from the dropout of the model. */
const STREAM = 501

/**
 * NEFTune: adds uniform noise to the word embeddings in training.
 *
 *     e ← e + alpha / √(length · width) · u, with u uniform in [−1, 1)
 *
 * The length is that of the padded batch, as in TRL. Each step draws other noise; evaluation and prediction have none.
 */
export const neftune = definePlugin({
  kind: REGULARIZER,
  name: 'neftune',
  summary: 'NEFTune: uniform noise on the word embeddings',
  source: 'Jain et al., NEFTune: Noisy Embeddings Improve Instruction Finetuning, 2024, algorithm 1',
  options: z.strictObject({
    alpha: scheduled(z.number().min(0).max(1000).default(5)).describe('Noise level'),
  }),
  create: ({ alpha }) => ({
    wrap: (loss) => (call) => {
      const { mode } = call
      if (!mode.training) return loss(call)
      return lossAtWordEmbeddings(loss, call, 'neftune', (embedded) => {
        const [, length = 1, width = 1] = embedded.shape
        const uniform = sub(mul(2, noise(keyAt(mode.key, STREAM), embedded.shape, 'uniform')), 1)
        return add(embedded, mul(alpha, mul(uniform, 1 / Math.sqrt(length * width))))
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer neftune': typeof neftune
  }
}

export default neftune
