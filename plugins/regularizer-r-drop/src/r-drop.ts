import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { classLogits, modeAt } from '@attune/nn'
import { add, exp, logSoftmax, mean, mul, sub, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Separates the dropout masks of the second pass from those of the first. */
const STREAM = 77

/**
 * R-Drop: two forward passes with different dropout masks, whose predictions are pulled together.
 *
 *     loss ← (loss₁ + loss₂) / 2 + strength · (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁)) / 2
 *
 * The divergences are averaged over the rows of the batch. Both passes are of the same batch, which costs twice the time. Without dropout
 * the two passes agree, and the term is 0. For the logits of a classifier of texts.
 */
export const rDrop = definePlugin({
  kind: REGULARIZER,
  name: 'r-drop',
  summary: 'R-Drop: consistent predictions under two dropout masks',
  source: 'Liang et al., R-Drop: Regularized Dropout for Neural Networks, 2021, equation 4',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(1)).describe('Factor on the symmetric divergence'),
  }),
  create: ({ strength }) => ({
    wrap: (loss) => (call) => {
      if (!call.mode.training) return loss(call)
      const [first, second] = [loss(call), loss({ ...call, mode: modeAt(call.mode, STREAM) })]
      const [p, q] = [logSoftmax(classLogits(first.head, 'r-drop')), logSoftmax(classLogits(second.head, 'r-drop'))]
      // KL(p ‖ q) + KL(q ‖ p) in one sum.
      const divergence = mean(sum(mul(sub(exp(p), exp(q)), sub(p, q)), -1))
      const losses = mul(0.5, add(first.sum, second.sum))
      return { ...first, sum: add(losses, mul(mul(mul(strength, 0.5), divergence), first.weight)) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer r-drop': typeof rDrop
  }
}

export default rDrop
