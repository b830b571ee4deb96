import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { gradientNormPenalty, unperturbed } from '@attune/nn'
import { type Tensor, add, maximum, mul, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Gradient penalty: holds the norm of the gradient of each example's loss, at its word embeddings, to a target.
 *
 *     loss ← loss + strength · mean over examples of (‖g‖₂ − target)²               two-sided
 *     loss ← loss + strength · mean over examples of max(0, ‖g‖₂ − target)²         one-sided
 *     g = ∂ loss of the example / ∂ word embeddings, over all of its tokens
 *
 * With a target of 0 this is double backpropagation (Drucker and Le Cun, 1992), and both sides are the same. The value of the penalty
 * is exact; its gradient is a central difference along g (Karakida et al., 2023), because TF.js has no second derivatives of fused operations
 * such as attention. A step computes four forward and four backward passes. WGAN-GP penalizes the gradient of a critic's score, at points
 * between real and generated data; here it is that of the loss, at the data. Near neighbour: fgm steps along g instead.
 */
export const gradientPenalty = definePlugin({
  kind: REGULARIZER,
  name: 'gradient-penalty',
  summary: 'Penalty on the gradient of the loss at the word embeddings',
  source: 'Gulrajani et al., Improved Training of Wasserstein GANs, 2017, section 4',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(0.1)).describe('Factor on the mean penalty'),
    target: scheduled(z.number().min(0).max(1000).default(0)).describe('Norm that is not penalized'),
    sides: z
      .enum(['one', 'two'])
      .default('one')
      .describe('`one` penalizes norms above the target, `two` also norms below it'),
  }),
  create: ({ strength, target, sides }) => ({
    wrap: (loss) => (call) => {
      if (!call.mode.training) return loss(call)
      const { clean, delta } = unperturbed(loss, call, 'gradient-penalty')
      const excess = (norms: Tensor): Tensor => (sides === 'one' ? maximum(sub(norms, target), 0) : sub(norms, target))
      const penalized = gradientNormPenalty(loss, call, 'gradient-penalty', delta, excess)
      return { ...clean, sum: add(clean.sum, mul(mul(strength, penalized), clean.weight)) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer gradient-penalty': typeof gradientPenalty
  }
}

export default gradientPenalty
