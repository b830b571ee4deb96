import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import {
  addDecayedWeights,
  chain,
  hessianVectorProduct,
  movingAverage,
  parameterNoise,
  scaleByLearningRate,
  weightDecayOption,
  zerosOf,
} from '@attune/nn'
import { clipByValue, div, maximum, mul, sign, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving averages of gradients and of estimates of the Hessian's diagonal: one tensor per parameter each, of its shape. */
type State = { readonly mean: Params; readonly curvature: Params }

/** Divides the mean gradient by the mean diagonal of the Hessian, and clips each coordinate. */
const scaleByCurvature = (beta1: number, beta2: number, gamma: number, epsilon: number): Optimizer<State> => ({
  needsClosure: true,
  init: (params) => ({ mean: zerosOf(params), curvature: zerosOf(params) }),
  update(grads, state, params, hyper, closure) {
    const signs = mapParams((u) => sign(sub(u, 0.5 - 2 ** -26)), parameterNoise(hyper, 'sophia', params, 'uniform'))
    const product = hessianVectorProduct(closure!, params, signs)
    const mean = movingAverage(beta1, state.mean, grads)
    const curvature = movingAverage(
      beta2,
      state.curvature,
      mapParams((s, h) => mul(s, h), signs, product),
    )
    const direction = (m: Params[string], h: Params[string]) =>
      clipByValue(div(m, maximum(mul(gamma, h), epsilon)), -1, 1)
    return { updates: mapParams(direction, mean, curvature), state: { mean, curvature } }
  },
})

/**
 * Sophia-H: a clipped diagonal Newton step, with the diagonal of the Hessian by Hutchinson's estimator.
 *
 *     v = ±1 at random,   h ← beta2 · h + (1 − beta2) · v ⊙ (H·v),   m ← beta1 · m + (1 − beta1) · g
 *     Δ = −learningRate · (clip(m / max(gamma · h, epsilon), ±1) + weightDecay · p)
 *
 * `H·v` is a central difference of gradients, so a step costs three gradients. The paper estimates `h` at every tenth step only; a compiled
 * step always does the same work, so here every step does, and `beta2` averages more estimates. Near neighbour: AdamW divides by the root
 * of squared gradients, not by curvature. The other estimator of the paper, Gauss–Newton–Bartlett, needs labels sampled from the model's
 * predictions, to which an optimizer has no access.
 */
export const sophia = definePlugin({
  kind: OPTIMIZER,
  name: 'sophia',
  summary: 'Clipped diagonal Newton steps with Hutchinson estimates (Sophia-H)',
  source: 'Liu et al., Sophia: A Scalable Stochastic Second-order Optimizer, 2024, algorithms 1 and 3',
  options: z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.96).describe('Decay rate of the mean gradient'),
    beta2: z.number().min(0).lt(1).default(0.99).describe('Decay rate of the diagonal of the Hessian'),
    gamma: z
      .number()
      .positive()
      .default(0.01)
      .describe('Factor on the curvature; smaller values clip more coordinates'),
    epsilon: z.number().positive().default(1e-12).describe('Smallest denominator'),
    weightDecay: weightDecayOption(0.1),
  }),
  create: ({ beta1, beta2, gamma, epsilon, weightDecay }) =>
    chain(scaleByCurvature(beta1, beta2, gamma, epsilon), addDecayedWeights(weightDecay), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer sophia': typeof sophia
  }
}

export default sophia
