import type { Mode } from '@attune/core'
import {
  type Tensor,
  add,
  cast,
  customGrad,
  matMul,
  mul,
  reshape,
  softmax,
  sub,
  sum,
  transpose,
} from '@tensorflow/tfjs-core'
import { dropout } from './dropout.js'

/**
 * What is added to attention scores so that padding is not looked at: 0 where `attentionMask` `[batch, length]` is 1 and
 * a large negative number where it is 0, as `[batch, 1, 1, length]`.
 */
export const paddingBias = (attentionMask: Tensor): Tensor => {
  const [batch, length] = attentionMask.shape as [number, number]
  return reshape(mul(sub(cast(attentionMask, 'float32'), 1), 1e9), [batch, 1, 1, length])
}

/** From `[batch, length, hidden]` to `[batch, heads, length, hidden / heads]`. */
const split = (x: Tensor, heads: number): Tensor => {
  const [batch, length, hidden] = x.shape as [number, number, number]
  return transpose(reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3])
}

/**
 * `O = D(softmax(scores))·v`, with dropout `D`, and its gradient in closed form: with `W` the softmax and `P = ∂O·vᵀ`,
 *
 *     ∂v = D(W)ᵀ·∂O,   ∂scores = D(W)∘P − W∘r,   r = Σ ∂O∘O over the head's width
 *
 * where the gradient of a softmax alone takes `r` from the larger `W∘∂W`, which sums to the same.
 * Source: Dao et al., FlashAttention, 2022, appendix B.2.
 */
const mix = (scores: Tensor, v: Tensor, rate: number, mode: Mode): Tensor =>
  customGrad((given, values, save) => {
    const weights = softmax(given as Tensor)
    const dropped = dropout(weights, rate, mode)
    const output = matMul(dropped, values as Tensor)
    ;(save as (tensors: Tensor[]) => void)([weights, dropped, values as Tensor, output])
    return {
      value: output,
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [w, d, x, o] = saved as [Tensor, Tensor, Tensor, Tensor]
        const row = sum(mul(g, o), -1, true) // [batch, heads, length, 1]
        return [sub(mul(d, matMul(g, x, false, true)), mul(w, row)), matMul(d, g, true, false)]
      },
    }
  })(scores, v)

/**
 * Scaled dot-product attention with several heads: `softmax(q·kᵀ / √headSize + bias)·v`, heads joined again.
 * `q`, `k`, `v` are `[batch, length, hidden]`, `bias` broadcasts to `[batch, heads, length, length]`; the result is
 * `[batch, length, hidden]`. `rate` is the dropout of the weights.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.
 */
export function attention(
  { q, k, v, bias }: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor; readonly bias: Tensor },
  heads: number,
  rate: number,
  mode: Mode,
): Tensor {
  const [batch, length, hidden] = q.shape as [number, number, number]
  const scores = matMul(split(mul(q, 1 / Math.sqrt(hidden / heads)), heads), split(k, heads), false, true)
  const mixed = mix(add(scores, bias), split(v, heads), rate, mode) // [batch, heads, length, headSize]
  return reshape(transpose(mixed, [0, 2, 1, 3]), [batch, length, hidden])
}
