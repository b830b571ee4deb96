import { REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { penalty, weightOptions, weightsOf } from '@attune/nn'
import { addN, mul, scalar, square, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * L2 regularization (ridge): adds half the squared norm of the weights to the mean loss.
 *
 *     loss ← loss + strength / 2 · Σ w²
 *
 * Its gradient is `strength · w`, so plain SGD with it equals SGD with weight decay `strength`. An adaptive optimizer rescales the
 * penalty's gradient; there, decoupled weight decay (adamw) is the better choice.
 */
export const l2 = definePlugin({
  kind: REGULARIZER,
  name: 'l2',
  summary: 'L2 penalty on the trainable parameters',
  source: 'Krogh and Hertz, A Simple Weight Decay Can Improve Generalization, 1991, equation 2',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(1e-4)).describe('Factor on half the sum of squares'),
    ...weightOptions,
  }),
  create: ({ strength, ...which }) =>
    penalty((trainable) => {
      const squares = weightsOf(trainable, which).map((weight) => sum(square(weight)))
      return squares.length === 0 ? scalar(0) : mul(mul(strength, 0.5), addN(squares))
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer l2': typeof l2
  }
}

export default l2
