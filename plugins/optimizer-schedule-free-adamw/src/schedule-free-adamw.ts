import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { addDecayedWeights, biasCorrection, movingAverage, weightDecayOption, zerosOf } from '@attune/nn'
import { type Tensor, add, clone, div, divNoNan, maximum, mul, sqrt, square, sub, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The base iterate z and the second moment, of the parameter's shape; the largest learning rate and the sum of weights, `[]` each. */
type State = {
  readonly base: Params
  readonly meanSquare: Params
  readonly largestRate: Params
  readonly weightSum: Params
}

const zero = (like: Tensor): Tensor => mul(0, sum(like))

/**
 * Schedule-free AdamW: an average of the iterates in place of a decaying learning rate; it needs no number of steps in advance.
 *
 *     d = g / (√v̂ + epsilon) + weightDecay · y,   c = rate² / Σ rate²,   rate: the largest learning rate so far
 *     z ← z − learningRate · d,   x ← (1 − c) · x + c · z
 *     y ← (1 − beta1) · z + beta1 · x
 *
 * Gradients are taken at y, the trained parameters; the average x is evaluated and saved. Use the scheduler constant, with a warmup.
 * Near neighbour: an exponential moving average follows the iterates; here the average is also part of the point at which gradients are
 * taken, which replaces momentum.
 */
export const scheduleFreeAdamw = definePlugin({
  kind: OPTIMIZER,
  name: 'schedule-free-adamw',
  summary: 'AdamW with averaged iterates in place of a learning rate schedule',
  source: 'Defazio et al., The Road Less Scheduled, 2024, algorithm 1',
  options: z.strictObject({
    beta1: z
      .number()
      .positive()
      .lt(1)
      .default(0.9)
      .describe('Weight of the average in the point where gradients are taken'),
    beta2: z.number().min(0).lt(1).default(0.999).describe('Decay rate of the mean squared gradient (second moment)'),
    epsilon: z.number().positive().default(1e-8).describe('Added to the denominator for numerical stability'),
    weightDecay: weightDecayOption(0),
  }),
  create({ beta1, beta2, epsilon, weightDecay }): Optimizer<State> {
    const decay = addDecayedWeights(weightDecay)
    return {
      init: (params) => ({
        base: mapParams((p) => clone(p), params),
        meanSquare: zerosOf(params),
        largestRate: mapParams(zero, params),
        weightSum: mapParams(zero, params),
      }),
      update(grads, state, params, hyper) {
        const { learningRate, step } = hyper
        const meanSquare = movingAverage(beta2, state.meanSquare, mapParams(square, grads))
        const correction = biasCorrection(beta2, step)
        const scaled = mapParams((g, v) => div(g, add(sqrt(div(v, correction)), epsilon)), grads, meanSquare)
        const { updates: directions } = decay.update(scaled, {}, params, hyper)
        const largestRate = mapParams((last) => maximum(last, learningRate), state.largestRate)
        const weightSum = mapParams((last, rate) => add(last, square(rate)), state.weightSum, largestRate)
        const weight = mapParams((rate, total) => divNoNan(square(rate), total), largestRate, weightSum)
        const move = (y: Tensor, z: Tensor, d: Tensor, c: Tensor): Tensor =>
          add(mul(c, sub(z, y)), mul(mul(learningRate, sub(mul(beta1, sub(1, c)), 1)), d))
        const base = mapParams((z, d) => sub(z, mul(learningRate, d)), state.base, directions)
        return {
          updates: mapParams(move, params, state.base, directions, weight),
          state: { base, meanSquare, largestRate, weightSum },
        }
      },
      evaluationParams: ({ base }, params) => mapParams((y, z) => add(y, mul(1 / beta1 - 1, sub(y, z))), params, base),
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer schedule-free-adamw': typeof scheduleFreeAdamw
  }
}

export default scheduleFreeAdamw
