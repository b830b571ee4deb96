import { OPTIMIZER, definePlugin } from '@attune/core'
import { adamOptions, addDecayedWeights, chain, scaleByAdam, scaleByLearningRate, weightDecayOption } from '@attune/nn'
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
    ...adamOptions,
    weightDecay: weightDecayOption(0.01),
    amsgrad: z.boolean().default(false).describe('AMSGrad: divide by the largest mean squared gradient so far'),
  }),
  create: ({ beta1, beta2, epsilon, weightDecay, amsgrad }) =>
    chain(scaleByAdam(beta1, beta2, epsilon, amsgrad), addDecayedWeights(weightDecay), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adamw': typeof adamw
  }
}

export default adamw
