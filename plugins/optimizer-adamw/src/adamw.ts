import { OPTIMIZER, definePlugin } from '@attune/core'
import { addDecayedWeights, chain, isBiasOrNorm, scaleByAdam, scaleByLearningRate } from '@attune/nn'
import { z } from 'zod'

/**
 * AdamW: each coordinate steps by its mean gradient over the root of its mean square, and weights shrink besides.
 *
 *     m ← beta1 · m + (1 − beta1) · g,   v ← beta2 · v + (1 − beta2) · g²
 *     Δ = −learningRate · (m̂ / (√v̂ + epsilon) + weightDecay · p)
 *
 * Near neighbour: Adam with an L2 penalty adds the decay to `g`, so that it is scaled by `√v̂` too. torch.optim.AdamW
 * decays every parameter it is given; here biases and norms are spared, which there takes parameter groups.
 */
export const adamw = definePlugin({
  kind: OPTIMIZER,
  name: 'adamw',
  summary: "Adam with weight decay that the gradient's scaling does not touch",
  source: 'Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2',
  options: z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.9).describe('Share of the mean gradient kept at each step'),
    beta2: z.number().min(0).lt(1).default(0.999).describe('Share of the mean squared gradient kept at each step'),
    epsilon: z.number().positive().default(1e-8).describe('Added to the root; keeps a step finite'),
    weightDecay: z
      .number()
      .min(0)
      .default(0.01)
      .describe('Pull towards zero a step, times the learning rate; biases and norms are spared'),
  }),
  create: ({ beta1, beta2, epsilon, weightDecay }) =>
    chain(
      scaleByAdam(beta1, beta2, epsilon),
      addDecayedWeights(weightDecay, (name, rank) => !isBiasOrNorm(name, rank)),
      scaleByLearningRate(),
    ),
})
export default adamw
