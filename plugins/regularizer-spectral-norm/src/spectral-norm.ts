import { type StepKey, REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { noise, penalty, stopGradient, weightOptions, weightsOf } from '@attune/nn'
import {
  type Tensor,
  type Tensor2D,
  add,
  addN,
  div,
  matMul,
  mul,
  norm,
  reshape,
  scalar,
  square,
  sum,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Prevents division by zero for a matrix of zeros. */
const TINY = 1e-12

const unit = (x: Tensor): Tensor => div(x, add(norm(x), TINY))

/** Largest singular value of a matrix `[rows, columns]`, by power iteration from a random vector. */
function largestSingularValue(weight: Tensor, iterations: number, key: StepKey): Tensor {
  const matrix = reshape(weight, [weight.shape[0]!, -1]) as Tensor2D
  const fixed = stopGradient(matrix) as Tensor2D
  let right = unit(noise(key, [matrix.shape[1], 1], 'normal'))
  let left = unit(matMul(fixed, right as Tensor2D))
  for (let i = 0; i < iterations; i++) {
    right = unit(matMul(fixed, left as Tensor2D, true))
    left = unit(matMul(fixed, right as Tensor2D))
  }
  return sum(mul(left, matMul(matrix, right as Tensor2D)))
}

/**
 * Spectral norm regularization: adds half the squared largest singular value of each weight matrix to the mean loss.
 *
 *     loss ← loss + strength / 2 · Σ σ(W)²
 *
 * σ is estimated by power iteration from a fixed random vector. Its gradient is σ · u vᵀ with the singular vectors as constants.
 * Biases, norms and other vectors are not penalized.
 */
export const spectralNorm = definePlugin({
  kind: REGULARIZER,
  name: 'spectral-norm',
  summary: 'Penalty on the spectral norm of the weight matrices',
  source:
    'Yoshida and Miyato, Spectral Norm Regularization for Improving the Generalizability of Deep Learning, 2017, equation 4',
  options: z.strictObject({
    strength: scheduled(z.number().min(0).max(1000).default(0.01)).describe(
      'Factor on half the sum of the squared norms',
    ),
    iterations: z.int().min(1).max(1000).default(10).describe('Number of power iterations per step'),
    only: weightOptions.only,
  }),
  create: ({ strength, iterations, only }) =>
    penalty((trainable, { seed }) => {
      const matrices = weightsOf(trainable, { all: false, only }).filter(({ rank }) => rank > 1)
      const norms = matrices.map((weight, i) => square(largestSingularValue(weight, iterations, { seed, stream: i })))
      return norms.length === 0 ? scalar(0) : mul(mul(strength, 0.5), addN(norms))
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer spectral-norm': typeof spectralNorm
  }
}

export default spectralNorm
