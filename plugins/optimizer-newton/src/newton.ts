import { type Closure, OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { addScaled, backtrack, hessianVectorProduct, innerProduct, zerosOf } from '@attune/nn'
import { type Tensor, divNoNan, greater, logicalAnd, mul, neg, scalar, sqrt, where } from '@tensorflow/tfjs-core'
import { z } from 'zod'

interface Settings {
  readonly damping: number
  readonly iterations: number
}

/** Residual norm, relative to the gradient's, below which the linear system counts as solved. */
const TOLERANCE = 1e-5

/**
 * Solves `(H + damping · I) · d = −g` by conjugate gradients. Stops at a direction of non-positive curvature, with the negative gradient if
 * that is the first; a compiled step always takes all iterations, and those after the stop leave the solution unchanged.
 */
function newtonDirection(closure: Closure, params: Params, grads: Params, { damping, iterations }: Settings): Params {
  let [solution, residual] = [zerosOf(params), mapParams((g) => neg(g), grads)]
  let [search, square] = [residual, innerProduct(residual, residual) as Tensor]
  const enough = mul(TOLERANCE, sqrt(square))
  let active = greater(square, 0)
  for (let i = 0; i < iterations; i++) {
    const product = addScaled(hessianVectorProduct(closure, params, search, 4), damping, search)
    const curvature = innerProduct(search, product)
    const convex = greater(curvature, 0)
    if (i === 0) solution = mapParams((zero, g) => where(convex, zero, g), solution, residual)
    active = logicalAnd(active, logicalAnd(convex, greater(sqrt(square), enough)))
    const size = where(active, divNoNan(square, curvature), scalar(0))
    solution = addScaled(solution, size, search)
    residual = addScaled(residual, neg(size), product)
    const next = innerProduct(residual, residual)
    search = addScaled(residual, divNoNan(next, square), search)
    square = next
  }
  return solution
}

/**
 * Newton's method: steps to the minimum of the local quadratic model, with a line search (Newton–CG, truncated Newton).
 *
 *     d = −(H + damping · I)⁻¹ · g by `iterations` conjugate gradient iterations on products with the Hessian
 *     Δ = learningRate · α · d,   α: the first of 1, ½, ¼, … with sufficient decrease
 *
 * With as many iterations as parameters this is the exact Newton step; fewer truncate it. The Hessian is never formed: a product costs four
 * gradients. For the deterministic loss of a small head on the whole data in one batch; use a learning rate of 1, the scheduler constant and
 * no dropout. It reads loss and gradient from the closure, so links before it have no effect.
 */
export const newton = definePlugin({
  kind: OPTIMIZER,
  name: 'newton',
  summary: "Newton's method with conjugate gradients and a line search (Newton–CG)",
  source: 'Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.1 and 3.1',
  options: z.strictObject({
    iterations: z
      .int()
      .min(1)
      .max(100)
      .default(10)
      .describe('Conjugate gradient iterations per step, four gradients each'),
    damping: z.number().min(0).default(0).describe('Added to the diagonal of the Hessian (Levenberg–Marquardt)'),
    tries: z.int().min(1).max(30).default(10).describe('Step sizes of the line search, each half of the one before'),
  }),
  create: ({ tries, ...settings }): Optimizer<Record<never, never>> => ({
    needsClosure: true,
    init: () => ({}),
    update(_grads, state, params, { learningRate }, closure) {
      const { loss, grads } = closure!(params)
      const direction = newtonDirection(closure!, params, grads, settings)
      const lossAt = (size: Tensor): Tensor => closure!(addScaled(params, size, direction)).loss
      const slope = innerProduct(grads, direction)
      const size = mul(learningRate, backtrack(lossAt, { loss, slope, initial: scalar(1), tries }))
      return { updates: mapParams((d) => mul(size, d), direction), state }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer newton': typeof newton
  }
}

export default newton
