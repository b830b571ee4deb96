import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { descend, zerosOf } from '@attune/nn'
import { add, div, sqrt, square } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Sum of squared gradients: one tensor per parameter, of its shape. */
type State = { readonly sum: Params }

/**
 * Adagrad: each coordinate is updated by its gradient divided by the root of the sum of all its squared gradients.
 *
 *     s ← s + g²
 *     Δ = −learningRate · g / (√s + epsilon)
 *
 * Near neighbour: RMSProp averages the squares and so forgets old ones; here they accumulate over the whole run and the step sizes only
 * shrink. An Adagrad with `s = g²`, without the sum, is sign descent. As in torch.optim.Adagrad, epsilon is outside the root.
 */
export const adagrad = definePlugin({
  kind: OPTIMIZER,
  name: 'adagrad',
  summary: 'Adaptive gradient (Adagrad): steps divided by the root of the sum of squared gradients',
  source: 'Duchi, Hazan and Singer, Adaptive Subgradient Methods, JMLR 2011, section 1.1, diagonal form',
  exceptions: {
    rosenbrock: 'reaches 0.1 in 400 steps: the sum of squared gradients of the first steps keeps later ones short',
  },
  options: z.strictObject({
    initialSum: z.number().min(0).default(0).describe('Initial value of the sum of squared gradients'),
    epsilon: z.number().positive().default(1e-10).describe('Added to the denominator for numerical stability'),
  }),
  create: ({ initialSum, epsilon }): Optimizer<State> => ({
    init: (params) => ({ sum: mapParams((zeros) => add(zeros, initialSum), zerosOf(params)) }),
    update(grads, state, _params, { learningRate }) {
      const sum = mapParams((s, g) => add(s, square(g)), state.sum, grads)
      const directions = mapParams((g, s) => div(g, add(sqrt(s), epsilon)), grads, sum)
      return { updates: descend(directions, learningRate), state: { sum } }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adagrad': typeof adagrad
  }
}

export default adagrad
