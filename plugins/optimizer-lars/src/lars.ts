import { OPTIMIZER, type Optimizer, definePlugin } from '@attune/core'
import { accumulateMomentum, chain, isBiasOrNorm, norm, scaleByLearningRate, trustRatio } from '@attune/nn'
import { add, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Scales the decayed gradient of each weight tensor to a fraction of the norm of the weights; biases and norms pass through. */
const scaleByLayer = (trustCoefficient: number, weightDecay: number): Optimizer<Record<never, never>> => ({
  init: () => ({}),
  update(grads, state, params) {
    const scaled = Object.entries(grads).map(([name, g]) => {
      const p = params[name]!
      if (isBiasOrNorm(name, p.rank)) return [name, g] as const
      const ratio = trustRatio(mul(trustCoefficient, norm(p)), add(norm(g), mul(weightDecay, norm(p))))
      return [name, mul(ratio, add(g, mul(weightDecay, p)))] as const
    })
    return { updates: Object.fromEntries(scaled), state }
  },
})

/**
 * LARS: SGD with momentum, with a learning rate per tensor in proportion to the norm of its weights, for large batches.
 *
 *     λ = trustCoefficient · ‖p‖ / (‖g‖ + weightDecay · ‖p‖)
 *     s ← momentum · s + λ · (g + weightDecay · p)
 *     Δ = −learningRate · s
 *
 * Near neighbour: LAMB, the same idea on Adam's directions; transformers train better with it. The paper multiplies the learning rate into
 * the momentum; here it multiplies the sum, as in PyTorch, which is equal at a constant rate. Biases and norms follow plain SGD with
 * momentum.
 */
export const lars = definePlugin({
  kind: OPTIMIZER,
  name: 'lars',
  summary: 'SGD with layer-wise adaptive rates, for large batches (LARS)',
  source: 'You, Gitman and Ginsburg, Large Batch Training of Convolutional Networks, 2017, algorithm 1',
  options: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0.9).describe('Momentum: decay rate of the sum of past updates'),
    trustCoefficient: z
      .number()
      .positive()
      .default(1e-3)
      .describe('Norm of an update as a fraction of the norm of the weights'),
    weightDecay: z
      .number()
      .min(0)
      .default(0)
      .describe('Weight decay, added to the gradient; biases and norms are excluded'),
  }),
  create: ({ momentum, trustCoefficient, weightDecay }) =>
    chain(
      scaleByLayer(trustCoefficient, weightDecay),
      ...(momentum > 0 ? [accumulateMomentum(momentum, false)] : []),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer lars': typeof lars
  }
}

export default lars
