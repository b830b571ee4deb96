import { OPTIMIZER, definePlugin } from '@attune/core'
import { accumulateMomentum, addDecayedWeights, chain, isBiasOrNorm, scaleByLearningRate } from '@attune/nn'
import { z } from 'zod'

/**
 * Stochastic gradient descent: each parameter moves against its gradient, or against the decayed sum of its gradients.
 *
 *     g ← g + weightDecay · p
 *     s ← momentum · s + g
 *     Δ = −learningRate · s        (Nesterov: −learningRate · (g + momentum · s))
 *
 * Near neighbour: AdamW divides by the gradient's recent size; this does not, so its learning rates are larger. The decay
 * goes through the momentum, as in torch.optim.SGD; unlike there, biases and norms are spared it.
 */
export const sgd = definePlugin({
  kind: OPTIMIZER,
  name: 'sgd',
  summary: 'Gradient descent with optional momentum',
  source: 'Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, section 2',
  options: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0).describe('Share of the sum of past gradients kept at each step'),
    nesterov: z.boolean().default(false).describe('Whether to step from where momentum is about to lead'),
    weightDecay: z
      .number()
      .min(0)
      .default(0)
      .describe('Pull towards zero, added to the gradient; biases and norms are spared'),
  }),
  create: ({ momentum, nesterov, weightDecay }) =>
    chain(
      addDecayedWeights(weightDecay, (name, rank) => !isBiasOrNorm(name, rank)),
      ...(momentum > 0 ? [accumulateMomentum(momentum, nesterov)] : []),
      scaleByLearningRate(),
    ),
})
export default sgd
