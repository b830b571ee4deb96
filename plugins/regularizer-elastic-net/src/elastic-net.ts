import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { penalty, stopGradient, weightOptions, weightsOf } from '@attune/nn'
import { add, addN, mul, scalar, sign, square, sub, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Elastic net: a weighted mixture of the L1 and L2 penalties, added to the mean loss.
 *
 *     loss ← loss + strength · (ratio · Σ |w| + (1 − ratio) / 2 · Σ w²)
 *
 * `ratio` is scikit-learn's `l1_ratio`: 1 is the lasso, 0 is ridge.
 */
export const elasticNet = definePlugin({
  kind: REGULARIZER,
  name: 'elastic-net',
  summary: 'Elastic net: a mixture of L1 and L2 penalties',
  source:
    'Zou and Hastie, Regularization and Variable Selection via the Elastic Net, 2005, section 2; in the form of scikit-learn',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(1e-5)).describe('Factor on the mixture'),
    ratio: scheduled(z.number().min(0).max(1).default(0.5)).describe('Fraction of the L1 penalty'),
    ...weightOptions,
  }),
  create: ({ strength, ratio, ...which }) =>
    penalty((trainable) => {
      const weights = weightsOf(trainable, which)
      if (weights.length === 0) return scalar(0)
      const absolute = addN(weights.map((weight) => sum(mul(weight, stopGradient(sign(weight))))))
      const squares = addN(weights.map((weight) => sum(square(weight))))
      return mul(strength, add(mul(ratio, absolute), mul(mul(sub(1, ratio), 0.5), squares)))
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer elastic-net': typeof elasticNet
  }
}

export default elasticNet
