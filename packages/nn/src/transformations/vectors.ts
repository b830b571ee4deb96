import { type Closure, type Params, mapParams } from '@attune/core'
import {
  type Scalar,
  type Tensor,
  add,
  addN,
  divNoNan,
  maximum,
  mul,
  scalar,
  sqrt,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { globalNorm } from './clip-by-global-norm.js'

/** Inner product of two sets of parameters as one vector each, `[]`. */
export const innerProduct = (a: Params, b: Params): Scalar => {
  const products = Object.entries(a).map(([name, x]) => sum(mul(x, b[name]!)))
  return (products.length === 0 ? scalar(0) : addN(products)) as Scalar
}

/** `a + scale · b`, per parameter. */
export const addScaled = (a: Params, scale: Tensor | number, b: Params): Params =>
  mapParams((x, y) => add(x, mul(scale, y)), a, b)

/** Euclidean norm of one tensor, `[]`. */
export const norm = (x: Tensor): Scalar => sqrt(sum(square(x)))

/** Central difference of the gradient along `v`, over the length `2h`. */
function gradientDifference(closure: Closure, params: Params, v: Params, h: Tensor): Params {
  const up = closure(addScaled(params, h, v)).grads
  const down = closure(addScaled(params, mul(-1, h), v)).grads
  const scale = divNoNan(scalar(0.5), h)
  return mapParams((a, b) => mul(scale, sub(a, b)), up, down)
}

/** Relative lengths of differences, at which the errors of truncation and of float32 rounding are about equal. */
const RELATIVE_LENGTH = { 2: 5e-3, 4: 2.5e-2 }

/**
 * Hessian–vector product by central differences of the gradient:
 *
 *     H·v ≈ D(h) = (∇f(p + h·v) − ∇f(p − h·v)) / 2h,   h = 0.005 · max(1, ‖p‖) / ‖v‖
 *     order 4:     (4 · D(h) − D(2h)) / 3,             h = 0.025 · max(1, ‖p‖) / ‖v‖
 *
 * It costs as many gradients as its order. Of quadratic functions exact up to rounding. Zero for `v = 0`. Differences are used because many
 * gradient kernels have no gradient of their own.
 * Source: Nocedal and Wright, Numerical Optimization, 2006, section 8.1.
 */
export function hessianVectorProduct(closure: Closure, params: Params, v: Params, order: 2 | 4 = 2): Params {
  const h = divNoNan(mul(RELATIVE_LENGTH[order], maximum(1, globalNorm(params))), globalNorm(v))
  const near = gradientDifference(closure, params, v, h)
  if (order === 2) return near
  const far = gradientDifference(closure, params, v, mul(2, h))
  return mapParams((a, b) => sub(mul(4 / 3, a), mul(1 / 3, b)), near, far)
}
