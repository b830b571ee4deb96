import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { addDecayedWeights, chain, movingAverage, scaleByLearningRate, weightDecayOption, zerosOf } from '@attune/nn'
import { sign } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving average of gradients: one tensor per parameter, of its shape. */
type State = { readonly mean: Params }

/** The sign of a gradient interpolated with the mean gradient. */
const signOfMomentum = (beta1: number, beta2: number): Optimizer<State> => ({
  init: (params) => ({ mean: zerosOf(params) }),
  update: (grads, { mean }) => ({
    updates: mapParams((direction) => sign(direction), movingAverage(beta1, mean, grads)),
    state: { mean: movingAverage(beta2, mean, grads) },
  }),
})

/**
 * Lion (evolved sign momentum): every coordinate moves by the learning rate, in the direction of an interpolation of mean and gradient.
 *
 *     Δ = −learningRate · (sign(beta1 · m + (1 − beta1) · g) + weightDecay · p)
 *     m ← beta2 · m + (1 − beta2) · g
 *
 * Near neighbour: AdamW. Lion keeps one moment instead of two; its updates are larger, so the paper advises learning rates 3 to 10 times
 * smaller and a weight decay larger by that factor.
 */
export const lion = definePlugin({
  kind: OPTIMIZER,
  name: 'lion',
  summary: 'Sign of an interpolated momentum, with decoupled weight decay (Lion)',
  source: 'Chen et al., Symbolic Discovery of Optimization Algorithms, 2023, program 1',
  options: z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.9).describe('Weight of the mean gradient in the direction of the update'),
    beta2: z.number().min(0).lt(1).default(0.99).describe('Decay rate of the mean gradient'),
    weightDecay: weightDecayOption(0),
  }),
  create: ({ beta1, beta2, weightDecay }) =>
    chain(signOfMomentum(beta1, beta2), addDecayedWeights(weightDecay), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer lion': typeof lion
  }
}

export default lion
