import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { adversarialLoss, ascentDirection } from '@attune/nn'
import { mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Fast gradient method (FGM): adds the loss at word embeddings that are moved by `epsilon` in the direction of steepest ascent.
 *
 *     r = epsilon · g / ‖g‖₂, with g = ∇ loss at the word embeddings of an example
 *     loss ← loss(e) + loss(e + r)
 *
 * The norm is taken over all tokens of an example. No gradient flows through r. A step computes three forward and two backward passes, of
 * which identical parts are computed once in a compiled step. Near neighbour: pgd takes several smaller steps.
 */
export const fgm = definePlugin({
  kind: REGULARIZER,
  name: 'fgm',
  summary: 'Fast gradient method: adversarial training of the word embeddings',
  source:
    'Miyato, Dai and Goodfellow, Adversarial Training Methods for Semi-Supervised Text Classification, 2017, equations 5 and 6',
  exceptions: { gradient: 'the perturbation counts as a constant in the gradient, as in the paper' },
  options: z.strictObject({
    epsilon: scheduled(z.number().min(0).max(100).default(1)).describe('L2 norm of the perturbation of an example'),
  }),
  create: ({ epsilon }) => ({
    wrap: (loss) => (call) => {
      if (!call.mode.training) return loss(call)
      return adversarialLoss(loss, call, 'fgm', (zero) => mul(epsilon, ascentDirection(loss, call, 'fgm', zero)))
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer fgm': typeof fgm
  }
}

export default fgm
