import { OPTIMIZER, definePlugin } from '@attune/core'
import { accumulateMomentum, addDecayedWeights, chain, scaleByLearningRate } from '@attune/nn'
import { z } from 'zod'

/**
 * Stochastic gradient descent: each parameter is updated against its gradient, or against the decayed sum of its gradients.
 *
 *     g ← g + weightDecay · p
 *     s ← momentum · s + g
 *     Δ = −learningRate · s        (Nesterov: −learningRate · (g + momentum · s))
 *
 * Near neighbour: AdamW divides by the recent size of the gradient; SGD does not, so its learning rates are larger. The decay goes through
 * the momentum, as in torch.optim.SGD; unlike there, biases and norms are excluded from it.
 */
export const sgd = definePlugin({
  kind: OPTIMIZER,
  name: 'sgd',
  summary: 'Stochastic gradient descent (SGD) with optional momentum',
  source: 'Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, section 2',
  options: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0).describe('Momentum: decay rate of the sum of past gradients'),
    nesterov: z.boolean().default(false).describe('Use Nesterov momentum'),
    weightDecay: z
      .number()
      .min(0)
      .default(0)
      .describe('Weight decay, added to the gradient; biases and norms are excluded'),
  }),
  create: ({ momentum, nesterov, weightDecay }) =>
    chain(
      addDecayedWeights(weightDecay),
      ...(momentum > 0 ? [accumulateMomentum(momentum, nesterov)] : []),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer sgd': typeof sgd
  }
}

export default sgd
