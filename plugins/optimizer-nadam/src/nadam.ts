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
import { type Scalar, type Tensor, add, div, mul, onesLike, pow, sqrt, square, sub, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moments as in Adam, and the product of all momentum coefficients so far, `[]` per parameter. */
type State = { readonly mean: Params; readonly meanSquare: Params; readonly product: Params }

const one = (like: Tensor): Scalar => onesLike(sum(like))

/** Adam scaling with Nesterov momentum, whose coefficient warms up from `beta1 / 2` to `beta1`. */
const scaleByNadam = (beta1: number, beta2: number, epsilon: number, momentumDecay: number): Optimizer<State> => ({
  init: (params) => ({ mean: zerosOf(params), meanSquare: zerosOf(params), product: mapParams(one, params) }),
  update(grads, state, _params, { step }) {
    const coefficient = (t: Tensor): Tensor => mul(beta1, sub(1, mul(0.5, pow(0.96, mul(t, momentumDecay)))))
    const [now, next] = [coefficient(step), coefficient(add(step, 1))]
    const mean = movingAverage(beta1, state.mean, grads)
    const meanSquare = movingAverage(beta2, state.meanSquare, mapParams(square, grads))
    const product = mapParams((last) => mul(last, now), state.product)
    const correction = biasCorrection(beta2, step)
    const direction = (g: Tensor, m: Tensor, v: Tensor, p: Tensor): Tensor => {
      const current = mul(div(sub(1, now), sub(1, p)), g)
      return div(add(current, mul(div(next, sub(1, mul(p, next))), m)), add(sqrt(div(v, correction)), epsilon))
    }
    return { updates: mapParams(direction, grads, mean, meanSquare, product), state: { mean, meanSquare, product } }
  },
})

/**
 * NAdam: Adam with Nesterov momentum and decoupled weight decay.
 *
 *     μ(t) = beta1 · (1 − ½ · 0.96^(t · momentumDecay)),   Π = μ(1) · … · μ(step)
 *     Δ = −learningRate · ((1 − μ(step)) / (1 − Π) · g + μ(step + 1) / (1 − Π · μ(step + 1)) · m) / (√v̂ + epsilon)
 *
 * Near neighbour: AdamW takes the mean gradient alone; here the current gradient has a part of its own. As torch.optim.NAdam with
 * decoupled_weight_decay; unlike there, biases and norms are excluded from weight decay.
 */
export const nadam = definePlugin({
  kind: OPTIMIZER,
  name: 'nadam',
  summary: 'Adam with Nesterov momentum (NAdam)',
  source: 'Dozat, Incorporating Nesterov Momentum into Adam, 2016, algorithm 2 with the momentum schedule of section 3',
  options: z.strictObject({
    ...adamOptions,
    momentumDecay: z.number().min(0).default(4e-3).describe('Speed of the warmup of the momentum, per step'),
    weightDecay: weightDecayOption(0),
  }),
  create: ({ beta1, beta2, epsilon, momentumDecay, weightDecay }) =>
    chain(scaleByNadam(beta1, beta2, epsilon, momentumDecay), addDecayedWeights(weightDecay), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer nadam': typeof nadam
  }
}

export default nadam
