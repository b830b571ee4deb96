import { type Optimizer, type Params, mapParams } from '@attune/core'
import { add, mul, zerosLike } from '@tensorflow/tfjs-core'

/** Decayed sum of past gradients: one tensor per parameter, of its shape. */
export interface MomentumState extends Record<string, Params> {
  readonly sum: Params
}

/**
 * Heavy-ball momentum: `s ← momentum · s + g`; the update is `s` or, with Nesterov momentum, `g + momentum · s`. This
 * is a sum, not a mean: it grows to `1 / (1 − momentum)` times a constant gradient.
 * Source: Sutskever et al., On the importance of initialization and momentum, 2013, section 2, in PyTorch's form.
 */
export const accumulateMomentum = (momentum: number, nesterov: boolean): Optimizer<MomentumState> => ({
  init: (params) => ({ sum: mapParams(zerosLike, params) }),
  update(grads, { sum }) {
    const next = mapParams((s, g) => add(mul(momentum, s), g), sum, grads)
    const updates = nesterov ? mapParams((g, s) => add(g, mul(momentum, s)), grads, next) : next
    return { updates, state: { sum: next } }
  },
})
