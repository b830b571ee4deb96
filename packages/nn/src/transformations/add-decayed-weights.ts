import type { Optimizer } from '@attune/core'
import { add, mul } from '@tensorflow/tfjs-core'

/**
 * True if a parameter is usually excluded from weight decay: a bias, or the scale or shift of a norm. In checkpoints
 * of the Hugging Face transformers library (Python) exactly these are vectors.
 */
export const isBiasOrNorm = (name: string, rank: number): boolean =>
  rank < 2 || /(^|[._])(bias|LayerNorm|norm)\b/.test(name)

/**
 * Decoupled weight decay: adds `decay · parameter` to each update. Placed after the gradient scaling in a chain, it
 * is not affected by that scaling. `decays` selects the parameters; default: all but biases
 * and norms.
 * Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2.
 */
export const addDecayedWeights = (
  decay: number,
  decays: (name: string, rank: number) => boolean = (name, rank) => !isBiasOrNorm(name, rank),
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
