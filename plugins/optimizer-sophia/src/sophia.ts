import { type Closure, type Hyper, OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
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
import { clipByValue, div, maximum, mul, sign, square, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Moving averages of gradients and of estimates of the Hessian's diagonal: one tensor per parameter each, of its shape. */
type State = { readonly mean: Params; readonly curvature: Params }

/** Estimates the diagonal of the Hessian at `params`: one tensor per parameter, of its shape. */
type Estimator = (closure: Closure, params: Params, hyper: Hyper) => Params

const ESTIMATORS = {
  hutchinson(closure, params, hyper) {
    const signs = mapParams((u) => sign(sub(u, 0.5 - 2 ** -26)), parameterNoise(hyper, 'sophia', params, 'uniform'))
    return mapParams((s, h) => mul(s, h), signs, hessianVectorProduct(closure, params, signs))
  },
  'gauss-newton-bartlett'(closure, params) {
    const { grads, weight } = closure(params, 'sampled')
    return mapParams((g) => mul(weight, square(g)), grads)
  },
} as const satisfies Record<string, Estimator>

/** Divides the mean gradient by the mean diagonal of the Hessian, and clips each coordinate. */
const scaleByCurvature = (
  estimate: Estimator,
  { beta1, beta2, gamma, epsilon }: Readonly<Record<'beta1' | 'beta2' | 'gamma' | 'epsilon', number>>,
): Optimizer<State> => ({
  needsClosure: true,
  init: (params) => ({ mean: zerosOf(params), curvature: zerosOf(params) }),
  update(grads, state, params, hyper, closure) {
    const mean = movingAverage(beta1, state.mean, grads)
    const curvature = movingAverage(beta2, state.curvature, estimate(closure!, params, hyper))
    const direction = (m: Params[string], h: Params[string]) =>
      clipByValue(div(m, maximum(mul(gamma, h), epsilon)), -1, 1)
    return { updates: mapParams(direction, mean, curvature), state: { mean, curvature } }
  },
})

/**
 * Sophia: a clipped diagonal Newton step, with the diagonal of the Hessian by Hutchinson's estimator (Sophia-H), or with that of its
 * Gauss–Newton part by the Gauss–Newton–Bartlett estimator (Sophia-G).
 *
 *     hutchinson:             v = ±1 at random,   ĥ = v ⊙ (H·v)
 *     gauss-newton-bartlett:  ĝ = gradient of the mean loss on labels sampled from the predictions,   ĥ = B · ĝ ⊙ ĝ
 *     h ← beta2 · h + (1 − beta2) · ĥ,   m ← beta1 · m + (1 − beta1) · g
 *     Δ = −learningRate · (clip(m / max(gamma · h, epsilon), ±1) + weightDecay · p)
 *
 * `H·v` is a central difference of gradients, so a step costs three gradients; that of Gauss–Newton–Bartlett costs two. `B` is the number of
 * predictions in the batch, texts or tokens. The paper estimates `h` at every tenth step only; a compiled step always does the same work, so
 * here every step does, and `beta2` averages more estimates. Labels are sampled by the seed of the step, and the loss on them is that of the
 * objective alone, without regularizers; the estimate is of the Hessian only if that loss is the cross-entropy. Near neighbour: AdamW divides by
 * the root of squared gradients, not by curvature. Throws AttuneError `NO_SAMPLED_LABELS` for Gauss–Newton–Bartlett if the objective cannot sample
 * labels.
 */
export const sophia = definePlugin({
  kind: OPTIMIZER,
  name: 'sophia',
  summary: 'Clipped diagonal Newton steps with Hutchinson or Gauss–Newton–Bartlett estimates (Sophia-H, Sophia-G)',
  source: 'Liu et al., Sophia: A Scalable Stochastic Second-order Optimizer, 2024, algorithms 1 to 3',
  exceptions: {
    rosenbrock: 'reaches 0.004 in 300 steps: the diagonal of the Hessian does not describe a valley across the axes',
  },
  options: z.strictObject({
    estimator: z
      .enum(['hutchinson', 'gauss-newton-bartlett'])
      .default('hutchinson')
      .describe(
        'Estimator of the diagonal of the Hessian: Sophia-H, or Sophia-G for classification of texts or tokens',
      ),
    beta1: z.number().min(0).lt(1).default(0.96).describe('Decay rate of the mean gradient'),
    beta2: z.number().min(0).lt(1).default(0.99).describe('Decay rate of the diagonal of the Hessian'),
    gamma: z
      .number()
      .positive()
      .default(0.01)
      .describe('Factor on the curvature; smaller values clip more coordinates; the paper has 0.05 for Sophia-G'),
    epsilon: z.number().positive().default(1e-12).describe('Smallest denominator'),
    weightDecay: weightDecayOption(0.1),
  }),
  create: ({ estimator, weightDecay, ...settings }) =>
    chain(scaleByCurvature(ESTIMATORS[estimator], settings), addDecayedWeights(weightDecay), scaleByLearningRate()),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer sophia': typeof sophia
  }
}

export default sophia
