import { OPTIMIZER, type Optimizer, definePlugin } from '@attune/core'
import {
  adamOptions,
  addDecayedWeights,
  chain,
  isBiasOrNorm,
  norm,
  scaleByAdam,
  scaleByLearningRate,
  trustRatio,
} from '@attune/nn'
import { mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const decays = (name: string, rank: number): boolean => !isBiasOrNorm(name, rank)

/** Scales the update of each tensor to the norm of its weights; biases and norms keep theirs. */
const scaleByTrustRatio = (): Optimizer<Record<never, never>> => ({
  init: () => ({}),
  update(updates, state, params) {
    const scaled = Object.entries(updates).map(([name, u]) => {
      const p = params[name]!
      return [name, decays(name, p.rank) ? mul(trustRatio(norm(p), norm(u)), u) : u] as const
    })
    return { updates: Object.fromEntries(scaled), state }
  },
})

/**
 * LAMB: AdamW whose update of each tensor has the norm of its weights times the learning rate, for large batches.
 *
 *     r = m̂ / (√v̂ + epsilon) + weightDecay · p
 *     Δ = −learningRate · ‖p‖ / ‖r‖ · r
 *
 * Near neighbours: LARS does the same with the plain gradient; AdamW without the ratio. The moments are bias-corrected as in the paper's
 * algorithm 2; many implementations (torch_optimizer among them) leave that out and clip ‖p‖ at 10. Biases and norms have neither decay
 * nor ratio, as in the paper's code.
 */
export const lamb = definePlugin({
  kind: OPTIMIZER,
  name: 'lamb',
  summary: 'AdamW with a trust ratio per tensor, for large batches (LAMB)',
  source: 'You et al., Large Batch Optimization for Deep Learning: Training BERT in 76 minutes, 2020, algorithm 2',
  options: z.strictObject({
    ...adamOptions,
    epsilon: z.number().positive().default(1e-6).describe('Added to the denominator for numerical stability'),
    weightDecay: z
      .number()
      .min(0)
      .default(0.01)
      .describe(
        'Weight decay per step, multiplied by the learning rate and the trust ratio; biases and norms are excluded',
      ),
  }),
  create: ({ beta1, beta2, epsilon, weightDecay }) =>
    chain(
      scaleByAdam(beta1, beta2, epsilon),
      addDecayedWeights(weightDecay, decays),
      scaleByTrustRatio(),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer lamb': typeof lamb
  }
}

export default lamb
