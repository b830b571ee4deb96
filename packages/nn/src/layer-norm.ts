import type { Params } from '@attune/core'
import {
  type Tensor,
  add,
  customGrad,
  matMul,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { parameter } from './parameter.js'

/** `x·w` over the last dimension, which stays with size 1: `[…, width]` and `[width]` to `[…, 1]`. */
const dot = (x: Tensor, w: Tensor): Tensor => {
  const width = w.shape[0] as number
  return reshape(matMul(reshape(x, [-1, width]), reshape(w, [width, 1])), [...x.shape.slice(0, -1), 1])
}

/** All rows added up: `[…, width]` to `[width]`. */
const addRows = (x: Tensor): Tensor => sum(reshape(x, [-1, x.shape.at(-1) as number]), 0)

/**
 * `n∘γ + β` with `n = (x − μ)/σ`, and its gradients in closed form: with `H` the width,
 *
 *     ∂x = (γ∘g − γ·g/H − n∘(γ·(g∘n))/H) / σ,   ∂γ = Σ g∘n,   ∂β = Σ g
 *
 * which keeps two tensors for the backward pass where the tape would keep seven; the means over a row are products of a
 * matrix and a vector.
 */
const normalise = (x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number): Tensor =>
  customGrad((input, weight, bias, save) => {
    const [value, w] = [input as Tensor, weight as Tensor]
    const centred = sub(value, mean(value, -1, true))
    const inverse = rsqrt(add(mean(square(centred), -1, true), epsilon))
    const normal = mul(centred, inverse)
    ;(save as (tensors: Tensor[]) => void)([normal, inverse, w])
    return {
      value: add(mul(normal, w), bias as Tensor),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [n, i, v] = saved as [Tensor, Tensor, Tensor]
        const weighed = mul(g, n)
        const share = mul(v, 1 / (v.shape[0] as number))
        const inner = sub(sub(mul(g, v), dot(g, share)), mul(n, dot(weighed, share)))
        return [mul(i, inner), addRows(weighed), addRows(g)]
      },
    }
  })(x, gamma, beta)

/**
 * Layer normalisation over the last dimension: `(x − μ) / √(σ² + epsilon) · γ + β`, with `γ` from `name.weight` and `β`
 * from `name.bias`, both `[width]`; `σ²` is the biased variance.
 * Source: Ba, Kiros and Hinton, Layer Normalization, 2016.
 */
export const layerNorm = (params: Params, name: string, x: Tensor, epsilon: number): Tensor =>
  normalise(x, parameter(params, `${name}.weight`), parameter(params, `${name}.bias`), epsilon)
