import { type Params, REGULARIZER, definePlugin, mapParams, scheduled } from '@attune/core'
import { penalty, weightOptions, weightsOf } from '@attune/nn'
import { addN, clone, mul, scalar, square, sub, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * L2-SP: adds half the squared distance of the weights from the start of training to the mean loss.
 *
 *     loss ← loss + strength / 2 · Σ (w − w₀)²
 *
 * w₀ are the trainable parameters before the first step, so a resumed run keeps those of its start. A new head is held to its random
 * initial values, which are small; the paper adds an L2 penalty for it. Near neighbour: l2 pulls all weights to 0, and so away
 * from what was pretrained.
 */
export const l2Sp = definePlugin({
  kind: REGULARIZER,
  name: 'l2-sp',
  summary: 'L2 penalty on the distance from the initial weights',
  source:
    'Li, Grandvalet and Davoine, Explicit Inductive Bias for Transfer Learning with Convolutional Networks, 2018, equation 4',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(0.01)).describe('Factor on half the squared distance'),
    ...weightOptions,
  }),
  create: ({ strength, ...which }) => ({
    prepare: (_, trainable) => Promise.resolve(mapParams((weight) => clone(weight), trainable)),
    wrap: (loss) => (call) =>
      penalty((trainable) => {
        const moved = mapParams((weight, start) => sub(weight, start), trainable, call.constants as Params)
        const squares = weightsOf(moved, which).map((distance) => sum(square(distance)))
        return squares.length === 0 ? scalar(0) : mul(mul(strength, 0.5), addN(squares))
      }).wrap(loss)(call),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer l2-sp': typeof l2Sp
  }
}

export default l2Sp
