import type { Optimizer } from '@attune/core'
import { add, mul } from '@tensorflow/tfjs-core'

/**
 * Whether a parameter is one that decay is usually spared: a bias, or the scale or shift of a normalisation. All of them,
 * and nothing else in the checkpoints of the Hugging Face library, are vectors.
 */
export const isBiasOrNorm = (name: string, rank: number): boolean =>
  rank < 2 || /(^|[._])(bias|LayerNorm|norm)\b/.test(name)

/**
 * Adds `decay · parameter` to each update: weight decay that the gradient's scaling does not touch when it stands after
 * it in a chain. `decays` tells which parameters take part. Source: Loshchilov and Hutter, Decoupled Weight Decay
 * Regularization, 2019, algorithm 2.
 */
export const addDecayedWeights = (
  decay: number,
  decays: (name: string, rank: number) => boolean,
): Optimizer<Record<never, never>> => ({
  init: () => ({}),
  update: (grads, state, params) => ({
    updates: Object.fromEntries(
      Object.entries(grads).map(([name, g]) => {
        const p = params[name]
        return [name, p !== undefined && decay > 0 && decays(name, p.rank) ? add(g, mul(decay, p)) : g]
      }),
    ),
    state,
  }),
})
