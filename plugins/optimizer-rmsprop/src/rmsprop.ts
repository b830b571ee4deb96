import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { accumulateMomentum, chain, movingAverage, scaleByLearningRate, zerosOf } from '@attune/nn'
import { add, div, relu, sqrt, square, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving averages of squared gradients and, if centred, of gradients: one tensor per parameter each, of its shape. */
type State = { readonly [moment: string]: Params }

/** Divides by the root of the mean square, or of the variance if centred. */
const scaleByRms = (decay: number, epsilon: number, centered: boolean): Optimizer<State> => ({
  init: (params) => ({ meanSquare: zerosOf(params), ...(centered ? { mean: zerosOf(params) } : {}) }),
  update(grads, state) {
    const meanSquare = movingAverage(decay, state['meanSquare']!, mapParams(square, grads))
    const mean = centered ? movingAverage(decay, state['mean']!, grads) : undefined
    // Rounding may make the difference of a constant gradient negative.
    const variance = mean === undefined ? meanSquare : mapParams((v, m) => relu(sub(v, square(m))), meanSquare, mean)
    const updates = mapParams((g, v) => div(g, add(sqrt(v), epsilon)), grads, variance)
    return { updates, state: { meanSquare, ...(mean === undefined ? {} : { mean }) } }
  },
})

/**
 * RMSProp: each coordinate is updated by its gradient divided by the root of a moving average of its squared gradients.
 *
 *     v ← decay · v + (1 − decay) · g²      (centred: minus the square of the mean gradient)
 *     s ← momentum · s + g / (√v + epsilon)
 *     Δ = −learningRate · s
 *
 * Near neighbours: Adagrad's sum never forgets; Adadelta also averages its own updates and takes them as the step size; Adam averages the
 * gradient before it is divided and corrects the bias. As in torch.optim.RMSprop, epsilon is outside the root and no bias is corrected, so
 * that the first step is `1 / √(1 − decay)` times the learning rate, ten times at the default.
 */
export const rmsprop = definePlugin({
  kind: OPTIMIZER,
  name: 'rmsprop',
  summary: 'Steps divided by the root of a moving average of squared gradients',
  source:
    'Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; centred: Graves, 2013, section 2.3',
  options: z.strictObject({
    decay: z.number().min(0).lt(1).default(0.99).describe('Decay rate of the mean squared gradient'),
    epsilon: z.number().positive().default(1e-8).describe('Added to the denominator for numerical stability'),
    centered: z.boolean().default(false).describe('Divide by the standard deviation of the gradient'),
    momentum: z.number().min(0).lt(1).default(0).describe('Momentum: decay rate of the sum of past directions'),
  }),
  create: ({ decay, epsilon, centered, momentum }) =>
    chain(
      scaleByRms(decay, epsilon, centered),
      ...(momentum > 0 ? [accumulateMomentum(momentum, false)] : []),
      scaleByLearningRate(),
    ),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer rmsprop': typeof rmsprop
  }
}

export default rmsprop
