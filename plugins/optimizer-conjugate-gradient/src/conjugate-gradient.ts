import { OPTIMIZER, type Optimizer, type Params, definePlugin, mapParams } from '@attune/core'
import { addScaled, backtrack, globalNorm, hessianVectorProduct, innerProduct, zerosOf } from '@attune/nn'
import { type Tensor, divNoNan, greater, less, mul, neg, relu, scalar, where } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Gradient and direction of the last step: one tensor per parameter each, of its shape. */
type State = { readonly grads: Params; readonly direction: Params }

/** The next conjugate direction: Polak–Ribière+, restarted at the negative gradient if it would not descend. */
function nextDirection(grads: Params, { grads: last, direction }: State): Params {
  const change = innerProduct(grads, addScaled(grads, -1, last))
  const beta = relu(divNoNan(change, innerProduct(last, last)))
  const steepest = mapParams((g) => neg(g), grads)
  const conjugate = addScaled(steepest, beta, direction)
  const descends = less(innerProduct(grads, conjugate), 0)
  return mapParams((c, s) => where(descends, c, s), conjugate, steepest)
}

/**
 * Nonlinear conjugate gradient (Polak–Ribière+) with a line search.
 *
 *     β = max(0, gᵀ(g − g′) / g′ᵀg′),   d = −g + β · d′
 *     Δ = learningRate · α · d,   α: the first of a, a/2, a/4, … with sufficient decrease,   a = −gᵀd / dᵀHd
 *
 * Directions are conjugate only if each step minimizes the loss along the one before, so a fixed step size, as some texts print, is gradient
 * descent with an odd momentum and can diverge. Here the first step size is exact for a quadratic loss (`H·d` is a difference of gradients),
 * and backtracking guarantees descent. For the deterministic loss of a small head on the whole data in one batch; use a learning rate of 1,
 * the scheduler constant and no dropout. It reads loss and gradient from the closure, so links before it have no effect.
 */
export const conjugateGradient = definePlugin({
  kind: OPTIMIZER,
  name: 'conjugate-gradient',
  summary: 'Nonlinear conjugate gradient with a line search',
  source: 'Nocedal and Wright, Numerical Optimization, 2006, section 5.2, equation 5.45; step size: Møller, 1993',
  options: z.strictObject({
    tries: z.int().min(1).max(30).default(10).describe('Step sizes of the line search, each half of the one before'),
  }),
  create: ({ tries }): Optimizer<State> => ({
    needsClosure: true,
    init: (params) => ({ grads: zerosOf(params), direction: zerosOf(params) }),
    update(_grads, state, params, { learningRate }, closure) {
      const { loss, grads } = closure!(params)
      const direction = nextDirection(grads, state)
      const slope = innerProduct(grads, direction)
      const curvature = innerProduct(direction, hessianVectorProduct(closure!, params, direction))
      const unit = divNoNan(scalar(1), globalNorm(direction))
      const initial = where(greater(curvature, 0), divNoNan(neg(slope), curvature), unit)
      const lossAt = (size: Tensor): Tensor => closure!(addScaled(params, size, direction)).loss
      const size = mul(learningRate, backtrack(lossAt, { loss, slope, initial, tries }))
      return { updates: mapParams((d) => mul(size, d), direction), state: { grads, direction } }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer conjugate-gradient': typeof conjugateGradient
  }
}

export default conjugateGradient
