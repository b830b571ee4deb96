import { type Optimizer, type Params, mapParams } from '@attune/core'
import { add, mul, zerosLike } from '@tensorflow/tfjs-core'

/** The decayed sum of the gradients so far: one tensor a parameter, of that parameter's shape. */
export interface MomentumState extends Record<string, Params> {
  readonly sum: Params
}

/**
 * Heavy-ball momentum: `s ← momentum · s + g`, and the update is `s`, or with Nesterov's look-ahead `g + momentum · s`.
 * A sum, not a mean: its length grows to `1 / (1 − momentum)` times a constant gradient.
 * Source: Sutskever et al., On the importance of initialization and momentum, 2013, section 2; the form is PyTorch's.
 */
export const accumulateMomentum = (momentum: number, nesterov: boolean): Optimizer<MomentumState> => ({
  init: (params) => ({ sum: mapParams(zerosLike, params) }),
  update(grads, { sum }) {
    const next = mapParams((s, g) => add(mul(momentum, s), g), sum, grads)
    const updates = nesterov ? mapParams((g, s) => add(g, mul(momentum, s)), grads, next) : next
    return { updates, state: { sum: next } }
  },
})
