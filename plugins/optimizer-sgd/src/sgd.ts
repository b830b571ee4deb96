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
 * Near neighbour: AdamW divides by the recent size of the gradient; SGD does not, so its learning rates are larger. `weightDecay` is L2
 * regularization, not decoupled weight decay: it is part of the gradient and goes through the momentum, as in torch.optim.SGD. Many texts call
 * both weight decay; they are equal without momentum only, up to the learning rate as a factor (Loshchilov and Hutter, Decoupled Weight Decay
 * Regularization, 2019). For the decoupled form (SGDW) leave it at 0 and add the link decoupled-weight-decay. Unlike in PyTorch, biases and norms
 * are excluded.
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
      .describe(
        'L2 regularization: weightDecay · p is added to the gradient, before momentum (not decoupled); biases and norms are excluded',
      ),
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
