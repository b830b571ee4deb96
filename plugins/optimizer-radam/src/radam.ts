import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import {
  adamOptions,
  addDecayedWeights,
  biasCorrection,
  chain,
  movingAverage,
  scaleByLearningRate,
  weightDecayOption,
  zerosOf,
} from '@attune/nn'
import {
  type Tensor,
  add,
  div,
  greater,
  mul,
  pow,
  relu,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  where,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moments as in Adam; the sum of the weights `beta2^k` and of `(k + 1) · beta2^k` over past steps, `[]` per parameter. */
type State = { readonly mean: Params; readonly meanSquare: Params; readonly weight: Params; readonly length: Params }

const zero = (like: Tensor): Tensor => mul(0, sum(like))

/**
 * Rectification by the length ρ of the simple moving average that `v` approximates. The textbook's `ρ∞ − 2·t·beta2^t / (1 − beta2^t)` loses
 * all digits in float32, so ρ is the quotient of two sums of positive terms: `2 · Σ (k + 1) · beta2^k / Σ beta2^k − 1`.
 */
function rectified(length: Tensor, limit: number): { readonly applies: Tensor; readonly factor: Tensor } {
  const product = relu(mul(sub(length, 4), sub(length, 2)))
  return {
    applies: greater(length, 5),
    factor: sqrt(div(mul(product, limit), mul((limit - 4) * (limit - 2), length))),
  }
}

/** Adam scaling once the second moment is estimated well enough; before, the mean gradient alone. */
const scaleByRadam = (beta1: number, beta2: number, epsilon: number): Optimizer<State> => ({
  init: (params) => ({
    mean: zerosOf(params),
    meanSquare: zerosOf(params),
    weight: mapParams(zero, params),
    length: mapParams(zero, params),
  }),
  update(grads, state, _params, { step }) {
    const mean = movingAverage(beta1, state.mean, grads)
    const meanSquare = movingAverage(beta2, state.meanSquare, mapParams(square, grads))
    const newest = pow(scalar(beta2), sub(step, 1))
    const weight = mapParams((last) => add(last, newest), state.weight)
    const length = mapParams((last) => add(last, mul(step, newest)), state.length)
    const [first, second] = [biasCorrection(beta1, step), biasCorrection(beta2, step)]
    const direction = (m: Tensor, v: Tensor, w: Tensor, l: Tensor): Tensor => {
      const { applies, factor } = rectified(sub(mul(2, div(l, w)), 1), 2 / (1 - beta2) - 1)
      const corrected = div(m, first)
      return mul(corrected, where(applies, div(mul(factor, sqrt(second)), add(sqrt(v), epsilon)), scalar(1)))
    }
    return {
      updates: mapParams(direction, mean, meanSquare, weight, length),
      state: { mean, meanSquare, weight, length },
    }
  },
})

/**
 * RAdam: Adam that rectifies the variance of its adaptive learning rate, and takes steps of SGD with momentum until there are enough
 * gradients for it (5 steps at the default `beta2`), with decoupled weight decay.
 *
 *     ρ = ρ∞ − 2 · step · beta2^step / (1 − beta2^step),   ρ∞ = 2 / (1 − beta2) − 1
 *     Δ = −learningRate · m̂ · r / (√v̂ + epsilon),   r = √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ))   if ρ > 5
 *     Δ = −learningRate · m̂                                                                            otherwise
 *
 * Near neighbour: AdamW with a warmup, which it replaces. As torch.optim.RAdam with decoupled_weight_decay; unlike there, biases and norms
 * are excluded from weight decay.
 */
export const radam = definePlugin({
  kind: OPTIMIZER,
  name: 'radam',
  summary: 'Rectified Adam (RAdam): Adam without a warmup',
  source: 'Liu et al., On the Variance of the Adaptive Learning Rate and Beyond, 2020, algorithm 2',
  options: z.strictObject({
    ...adamOptions,
    beta2: z.number().min(0.6).lt(1).default(0.999).describe('Decay rate of the mean squared gradient (second moment)'),
    weightDecay: weightDecayOption(0),
  }),
  create: ({ beta1, beta2, epsilon, weightDecay }) =>
    chain(scaleByRadam(beta1, beta2, epsilon), addDecayedWeights(weightDecay), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer radam': typeof radam
  }
}

export default radam
