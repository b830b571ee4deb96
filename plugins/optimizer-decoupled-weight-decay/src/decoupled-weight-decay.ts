import { OPTIMIZER, type Optimizer, definePlugin } from '@attune/core'
import { addDecayedWeights, weightDecayOption } from '@attune/nn'
import { mul, neg } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Decoupled weight decay: shrinks the weights at each step, independently of the gradient scaling of the optimizer.
 *
 *     Δ ← Δ − learningRate · weightDecay · p
 *
 * A link after an optimizer that has no weight decay of its own (adagrad, adadelta, rmsprop); with one that has, both apply. `p` are the
 * parameters before the step. As in torch.optim.AdamW the decay is multiplied by the learning rate; the paper multiplies it by the schedule
 * only, so that its λ is the learning rate times this one. Biases and norms are excluded. Near neighbour: regularizer l2 adds the decay to
 * the gradient, which adaptive optimizers then rescale.
 */
export const decoupledWeightDecay = definePlugin({
  kind: OPTIMIZER,
  name: 'decoupled-weight-decay',
  summary: 'Decoupled weight decay, for optimizers without it',
  source: 'Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithms 1 and 2',
  exceptions: { leastSquares: 'reaches 5e-4: the decay moves the minimum towards 0' },
  options: z.strictObject({ weightDecay: weightDecayOption(0.01) }),
  create: ({ weightDecay }): Optimizer<Record<never, never>> => ({
    link: 'after',
    init: () => ({}),
    update(updates, state, params, hyper) {
      const rate = neg(hyper.learningRate)
      const scaled = Object.entries(params).map(([name, p]) => [name, mul(rate, p)] as const)
      return addDecayedWeights(weightDecay).update(updates, state, Object.fromEntries(scaled), hyper)
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer decoupled-weight-decay': typeof decoupledWeightDecay
  }
}

export default decoupledWeightDecay
