import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { penalty, stopGradient, weightOptions, weightsOf } from '@attune/nn'
import { addN, mul, scalar, sign, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * L1 regularization (lasso): adds the sum of the absolute weights to the mean loss.
 *
 *     loss ← loss + strength · Σ |w|
 *
 * Its gradient is `strength · sign(w)`, with sign(0) = 0 as in PyTorch (TF.js' own gradient of the absolute value is −1 there, which
 * would move weights away from 0). Gradient descent with it makes weights small, but rarely exactly 0. Near neighbour: l2 shrinks large
 * weights more than small ones.
 */
export const l1 = definePlugin({
  kind: REGULARIZER,
  name: 'l1',
  summary: 'L1 penalty on the trainable parameters',
  source: 'Tibshirani, Regression Shrinkage and Selection via the Lasso, 1996, equation 3',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(1e-5)).describe('Factor on the sum of absolute values'),
    ...weightOptions,
  }),
  create: ({ strength, ...which }) =>
    penalty((trainable) => {
      const sums = weightsOf(trainable, which).map((weight) => sum(mul(weight, stopGradient(sign(weight)))))
      return sums.length === 0 ? scalar(0) : mul(strength, addN(sums))
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer l1': typeof l1
  }
}

export default l1
