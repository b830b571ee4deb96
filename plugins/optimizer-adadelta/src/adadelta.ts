import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { descend, movingAverage, zerosOf } from '@attune/nn'
import { add, div, mul, sqrt, square } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving averages of squared gradients and of squared updates: one tensor per parameter each, of its shape. */
type State = { readonly meanSquare: Params; readonly meanSquareUpdate: Params }

/**
 * Adadelta: RMSProp whose numerator is the root mean square of past updates, so that an update has the unit of the parameter.
 *
 *     v ← decay · v + (1 − decay) · g²
 *     d = √(u + epsilon) / √(v + epsilon) · g
 *     u ← decay · u + (1 − decay) · d²
 *     Δ = −learningRate · d
 *
 * Near neighbour: RMSProp has the denominator only, and there a learning rate is required; here 1 is the paper's. Both epsilons are inside
 * the roots, and the first updates are about √(epsilon / (1 − decay)).
 */
export const adadelta = definePlugin({
  kind: OPTIMIZER,
  name: 'adadelta',
  summary: 'RMSProp with the root mean square of past updates as the step size',
  source: 'Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, algorithm 1',
  exceptions: {
    rosenbrock: 'reaches 0.06 in 400 steps: without momentum, steps along the curved valley are short',
  },
  options: z.strictObject({
    decay: z.number().min(0).lt(1).default(0.9).describe('Decay rate of both mean squares'),
    epsilon: z.number().positive().default(1e-6).describe('Added under both roots; sets the size of the first updates'),
  }),
  create: ({ decay, epsilon }): Optimizer<State> => ({
    init: (params) => ({ meanSquare: zerosOf(params), meanSquareUpdate: zerosOf(params) }),
    update(grads, state, _params, { learningRate }) {
      const meanSquare = movingAverage(decay, state.meanSquare, mapParams(square, grads))
      const directions = mapParams(
        (g, v, u) => mul(div(sqrt(add(u, epsilon)), sqrt(add(v, epsilon))), g),
        grads,
        meanSquare,
        state.meanSquareUpdate,
      )
      const meanSquareUpdate = movingAverage(decay, state.meanSquareUpdate, mapParams(square, directions))
      return { updates: descend(directions, learningRate), state: { meanSquare, meanSquareUpdate } }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adadelta': typeof adadelta
  }
}

export default adadelta
