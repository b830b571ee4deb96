import { OPTIMIZER, definePlugin } from '@attune/core'
import { addDecayedWeights, chain, isBiasOrNorm, scaleByAdam, scaleByLearningRate } from '@attune/nn'
import { z } from 'zod'

/**
 * AdamW: Adam with decoupled weight decay.
 *
 *     m ← beta1 · m + (1 − beta1) · g,   v ← beta2 · v + (1 − beta2) · g²
 *     Δ = −learningRate · (m̂ / (√v̂ + epsilon) + weightDecay · p)
 *
 * Near neighbour: adam with an L2 penalty (`l2`) adds it to `g`, so it is divided by `√v̂` too: that is not weight decay. torch.optim.AdamW decays every
 * parameter that it gets; here biases and norms are excluded, which there takes parameter groups.
 */
export const adamw = definePlugin({
  kind: OPTIMIZER,
  name: 'adamw',
  summary: 'Adam with decoupled weight decay',
  source:
    'Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2; AMSGrad: Reddi et al., 2018',
  options: z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.9).describe('Decay rate of the mean gradient (first moment)'),
    beta2: z.number().min(0).lt(1).default(0.999).describe('Decay rate of the mean squared gradient (second moment)'),
    epsilon: z.number().positive().default(1e-8).describe('Added to the denominator for numerical stability'),
    weightDecay: z
      .number()
      .min(0)
      .default(0.01)
      .describe('Weight decay per step, multiplied by the learning rate; biases and norms are excluded'),
    amsgrad: z.boolean().default(false).describe('AMSGrad: divide by the largest mean squared gradient so far'),
  }),
  create: ({ beta1, beta2, epsilon, weightDecay, amsgrad }) =>
    chain(
      scaleByAdam(beta1, beta2, epsilon, amsgrad),
      addDecayedWeights(weightDecay, (name, rank) => !isBiasOrNorm(name, rank)),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adamw': typeof adamw
  }
}

export default adamw
