import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { ascentStep, keyAt, lossAtWordEmbeddings, noise, unperturbed } from '@attune/nn'
import { type Tensor, add, addN, div, mul, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Separates the noise from the dropout of the model. */
const STREAM = 502

/**
 * FreeLB: replaces the loss by its mean over the steps of an ascent in the word embeddings, from a random start.
 *
 *     r₀ = start · u / √(length · width), with u uniform in [−1, 1)
 *     r ← project(r + rate · g / ‖g‖₂), with g = ∇ loss(e + r) and project(r) = r · min(1, epsilon / ‖r‖₂)
 *     loss ← 1 / steps · Σₜ loss(e + rₜ), over t = 0 … steps − 1
 *
 * Norms are taken over all tokens of an example; the length includes padding. No gradient flows through r. The paper uses one backward pass
 * for both gradients of a step; here they are computed apart, with the same result and about twice the time.
 */
export const freelb = definePlugin({
  kind: REGULARIZER,
  name: 'freelb',
  summary: 'FreeLB: trains on every step of an adversarial ascent in the word embeddings',
  source: 'Zhu et al., FreeLB: Enhanced Adversarial Training for Natural Language Understanding, 2020, algorithm 1',
  exceptions: { gradient: 'the perturbation counts as a constant in the gradient, as in the paper' },
  options: z.strictObject({
    epsilon: scheduled(z.number().min(0).max(100).default(1)).describe(
      'Maximum L2 norm of the perturbation of an example',
    ),
    rate: scheduled(z.number().min(0).max(100).default(0.1)).describe('L2 norm of a step'),
    start: z.number().min(0).max(100).default(0.2).describe('Magnitude of the random start'),
    steps: z.int().min(1).max(20).default(3).describe('Number of ascent steps, and of losses'),
  }),
  create: ({ epsilon, rate, start, steps }) => ({
    wrap: (loss) => (call) => {
      const { mode } = call
      if (!mode.training) return loss(call)
      const { clean, delta } = unperturbed(loss, call, 'freelb')
      const [, length = 1, width = 1] = delta.shape
      const uniform = sub(mul(2, noise(keyAt(mode.key, STREAM), delta.shape, 'uniform')), 1)
      let moved: Tensor = mul(uniform, start / Math.sqrt(length * width))
      const sums: Tensor[] = []
      for (let step = 0; step < steps; step++) {
        const at = moved
        sums.push(lossAtWordEmbeddings(loss, call, 'freelb', (embedded) => add(embedded, at)).sum)
        if (step < steps - 1) moved = ascentStep(loss, call, 'freelb', at, { rate, epsilon })
      }
      return { ...clean, sum: div(addN(sums), steps) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer freelb': typeof freelb
  }
}

export default freelb
