import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { adversarialLoss, ascentStep } from '@attune/nn'
import { z } from 'zod'

/**
 * Projected gradient descent (PGD): adds the loss at word embeddings that several steps of ascent have moved, within an L2 ball.
 *
 *     r ← project(r + rate · g / ‖g‖₂), `steps` times from r = 0, with g = ∇ loss(e + r)
 *     project(r) = r · min(1, epsilon / ‖r‖₂)
 *     loss ← loss(e) + loss(e + r)
 *
 * Norms are taken over all tokens of an example. No gradient flows through r. Near neighbours: fgm is one step to the surface of the ball;
 * freelb trains on every step.
 */
export const pgd = definePlugin({
  kind: REGULARIZER,
  name: 'pgd',
  summary: 'Projected gradient descent: multi-step adversarial training of the word embeddings',
  source: 'Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, 2018, section 2.1',
  exceptions: { gradient: 'the perturbation counts as a constant in the gradient, as in the paper' },
  options: z.strictObject({
    epsilon: scheduled(z.number().min(0).max(100).default(1)).describe(
      'Maximum L2 norm of the perturbation of an example',
    ),
    rate: scheduled(z.number().min(0).max(100).default(0.3)).describe('L2 norm of a step'),
    steps: z.int().min(1).max(20).default(3).describe('Number of ascent steps'),
  }),
  create: ({ epsilon, rate, steps }) => ({
    wrap: (loss) => (call) => {
      if (!call.mode.training) return loss(call)
      return adversarialLoss(loss, call, 'pgd', (zero) => {
        let moved = zero
        for (let step = 0; step < steps; step++) moved = ascentStep(loss, call, 'pgd', moved, { rate, epsilon })
        return moved
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer pgd': typeof pgd
  }
}

export default pgd
