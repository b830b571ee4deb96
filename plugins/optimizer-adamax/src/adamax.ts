import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { biasCorrection, descend, movingAverage, zerosOf } from '@attune/nn'
import { abs, add, div, maximum, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving average of gradients, and their decayed maximum norm: one tensor per parameter each, of its shape. */
type State = { readonly mean: Params; readonly largest: Params }

/**
 * Adamax: Adam with the infinity norm in place of the root mean square.
 *
 *     m ← beta1 · m + (1 − beta1) · g,   u ← max(beta2 · u, |g| + epsilon)
 *     Δ = −learningRate / (1 − beta1^step) · m / u
 *
 * Near neighbour: Adam, whose second moment is corrected for bias; a maximum has none. As torch.optim.Adamax.
 */
export const adamax = definePlugin({
  kind: OPTIMIZER,
  name: 'adamax',
  summary: 'Adam with the infinity norm of past gradients (Adamax)',
  source: 'Kingma and Ba, Adam, 2015, algorithm 2',
  options: z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.9).describe('Decay rate of the mean gradient'),
    beta2: z.number().min(0).lt(1).default(0.999).describe('Decay rate of the largest absolute gradient'),
    epsilon: z.number().positive().default(1e-8).describe('Added to absolute gradients for numerical stability'),
  }),
  create: ({ beta1, beta2, epsilon }): Optimizer<State> => ({
    init: (params) => ({ mean: zerosOf(params), largest: zerosOf(params) }),
    update(grads, state, _params, { learningRate, step }) {
      const mean = movingAverage(beta1, state.mean, grads)
      const largest = mapParams((u, g) => maximum(mul(beta2, u), add(abs(g), epsilon)), state.largest, grads)
      const correction = biasCorrection(beta1, step)
      const directions = mapParams((m, u) => div(m, mul(correction, u)), mean, largest)
      return { updates: descend(directions, learningRate), state: { mean, largest } }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adamax': typeof adamax
  }
}

export default adamax
