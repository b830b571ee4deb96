import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { type Tensor, add, clone, equal, mod, mul, sub, where } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Slow weights: one tensor per parameter, of its shape. */
type State = { readonly slow: Params }

/**
 * Lookahead: every `interval` steps the weights move back to a point between where they were then and where the optimizer has got since.
 *
 *     every interval-th step:   slow ← slow + rate · (p + Δ − slow),   p ← slow
 *
 * A link after an optimizer, whose own state (momentum) is kept. Near neighbour: an exponential moving average is evaluated and does not
 * change training; here training goes on from the slow weights.
 */
export const lookahead = definePlugin({
  kind: OPTIMIZER,
  name: 'lookahead',
  summary: 'Lookahead: fast steps from slow weights',
  source: 'Zhang et al., Lookahead Optimizer: k steps forward, 1 step back, 2019, algorithm 1',
  options: z.strictObject({
    interval: z.int().min(1).default(5).describe('Steps of the optimizer between two steps of the slow weights'),
    rate: z.number().positive().max(1).default(0.5).describe('Size of a slow step, as a fraction of the way'),
  }),
  create: ({ interval, rate }): Optimizer<State> => ({
    link: 'after',
    init: (params) => ({ slow: mapParams((p) => clone(p), params) }),
    update(updates, state, params, { step }) {
      const due = equal(mod(step, interval), 0)
      const slow = mapParams(
        (s: Tensor, p: Tensor, u: Tensor) => where(due, add(s, mul(rate, sub(add(p, u), s))), s),
        state.slow,
        params,
        updates,
      )
      const move = (s: Tensor, p: Tensor, u: Tensor): Tensor => where(due, sub(s, p), u)
      return { updates: mapParams(move, slow, params, updates), state: { slow } }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer lookahead': typeof lookahead
  }
}

export default lookahead
