import { OPTIMIZER, definePlugin } from '@attune/core'
import { adamOptions, addDecayedWeights, chain, scaleByAdam, scaleByLearningRate } from '@attune/nn'
import { z } from 'zod'

/**
 * Adam: adaptive moment estimation.
 *
 *     g ← g + l2 · p
 *     m ← beta1 · m + (1 − beta1) · g,   v ← beta2 · v + (1 − beta2) · g²
 *     Δ = −learningRate · m̂ / (√v̂ + epsilon),   m̂ = m / (1 − beta1^step),   v̂ = v / (1 − beta2^step)
 *
 * The moments start at zero, so both are bias-corrected: without it the first steps are several times too long. `l2` is a penalty in the
 * loss, not weight decay: its gradient is divided by `√v̂` too, so weights with large gradients are decayed less. For decoupled weight decay
 * use adamw. As in torch.optim.Adam; unlike there, biases and norms are excluded from the penalty.
 */
export const adam = definePlugin({
  kind: OPTIMIZER,
  name: 'adam',
  summary: 'Adaptive moment estimation (Adam)',
  source: 'Kingma and Ba, Adam, 2015, algorithm 1; AMSGrad: Reddi et al., On the Convergence of Adam and Beyond, 2018',
  options: z.strictObject({
    ...adamOptions,
    l2: z.number().min(0).default(0).describe('L2 penalty, added to the gradient; biases and norms are excluded'),
    amsgrad: z.boolean().default(false).describe('AMSGrad: divide by the largest mean squared gradient so far'),
  }),
  create: ({ beta1, beta2, epsilon, l2, amsgrad }) =>
    chain(addDecayedWeights(l2), scaleByAdam(beta1, beta2, epsilon, amsgrad), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adam': typeof adam
  }
}

export default adam
