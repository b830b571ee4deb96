import type { Mode, Params } from '@attune/core'
import {
  type Tensor,
  add,
  concat,
  customGrad,
  matMul,
  mul,
  reshape,
  slice,
  softmax,
  sub,
  sum,
  transpose,
} from '@tensorflow/tfjs-core'
import type { AttentionPattern } from './attention-bias.js'
import { type Band, bandsOf } from './bands.js'
import { dropout, modeAt } from '../layers/dropout.js'
import { hookOf } from '../layers/layer-hook.js'

/**
 * An attention block, from its input `x` `[batch, length, hidden]` to the output of its output projection: the site of a
 * {@link LayerHook} of kind `attention`. `compute` must read the queries' states from its argument.
 * @param name what the names of its projections begin with, without the dot at the end
 */
export function attentionBlock(params: Params, name: string, x: Tensor, compute: (x: Tensor) => Tensor): Tensor {
  const hook = hookOf(params)
  return hook === undefined ? compute(x) : hook({ kind: 'attention', name, params }, x, (y) => compute(y))
}

/** From `[batch, length, hidden]` to `[batch, heads, length, hidden / heads]`. */
export const splitHeads = (x: Tensor, heads: number): Tensor => {
  const [batch, length, hidden] = x.shape as [number, number, number]
  return transpose(reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3])
}

/** The other way round: `[batch, heads, length, headSize]` to `[batch, length, heads · headSize]`. */
export const joinHeads = (x: Tensor): Tensor => {
  const [batch, heads, length, headSize] = x.shape as [number, number, number, number]
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * headSize])
}

/** The rows of all heads that share keys under one another: `[batch, heads, rows, n]` to `[batch, few, heads/few · rows, n]`. */
const grouped = (x: Tensor, few: number): Tensor => {
  const [batch, heads, rows, size] = x.shape as [number, number, number, number]
  return heads === few ? x : reshape(x, [batch, few, (heads / few) * rows, size])
}

/**
 * `a·b`, or `a·bᵀ`, where several heads of `a` `[batch, heads, rows, n]` share one of `b` `[batch, few, …]`; nothing is
 * repeated, since the rows of those heads make one larger product.
 */
const sharedProduct = (a: Tensor, b: Tensor, transposed = false): Tensor => {
  const [batch, heads, rows] = a.shape as [number, number, number]
  const product = matMul(grouped(a, b.shape[1] as number), b, false, transposed)
  return reshape(product, [batch, heads, rows, product.shape[3] as number])
}

/**
 * `O = D(softmax(scores))·v`, with dropout `D`, and its gradient in closed form: with `W` the softmax and `P = ∂O·vᵀ`,
 *
 *     ∂v = D(W)ᵀ·∂O,   ∂scores = D(W)∘P − W∘r,   r = Σ ∂O∘O over the head's width
 *
 * where the gradient of a softmax alone takes `r` from the larger `W∘∂W`, which sums to the same.
 * Source: Dao et al., FlashAttention, 2022, appendix B.2.
 */
const mix = (scores: Tensor, v: Tensor, rate: number | Tensor, mode: Mode): Tensor =>
  customGrad((given, values, save) => {
    const weights = softmax(given as Tensor)
    const dropped = dropout(weights, rate, mode)
    const output = sharedProduct(dropped, values as Tensor)
    ;(save as (tensors: Tensor[]) => void)([weights, dropped, values as Tensor, output])
    return {
      value: output,
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [w, d, x, o] = saved as [Tensor, Tensor, Tensor, Tensor]
        const row = sum(mul(g, o), -1, true) // [batch, heads, length, 1]
        const groups = x.shape[1] as number
        const values = matMul(grouped(d, groups), grouped(g, groups), true, false)
        return [sub(mul(d, sharedProduct(g, x, true)), mul(w, row)), values]
      },
    }
  })(scores, v)

/** Queries, keys and values by head, and what is added to the scores. */
export interface Heads {
  /** `[batch, heads, queries, headSize]` */
  readonly q: Tensor
  /** `[batch, heads, keys, headSize]`, or fewer heads that divide those of the queries, each shared by some of them */
  readonly k: Tensor
  /** `[batch, heads, keys, width]`, with as many heads as the keys */
  readonly v: Tensor
  /** Broadcasts to `[batch, heads, queries, keys]`. */
  readonly bias: Tensor
}

/** How {@link attendHeads} attends, where it is not as usual. */
export interface AttentionOptions {
  /** What scores are multiplied by. Default: `1 / √headSize`. */
  readonly scale?: number
  /** Scores are brought into (−softcap, softcap) by `softcap · tanh(scores / softcap)` before the bias is added. */
  readonly change?: (scores: Tensor) => Tensor
  /** What the bias was made with: where there are as many keys as queries, what it hides from many rows at once is then not computed. */
  readonly sight?: AttentionPattern | undefined
  /** Receives the weights, `[batch, heads, queries, keys]`, without dropout. */
  readonly record?: ((weights: Tensor) => void) | undefined
}

/** The part of a tensor from a place on along an axis that it is long; where it is 1 long it stays. */
function along(x: Tensor, axis: number, from: number, size: number): Tensor {
  if (x.shape[axis] === 1) return x
  const [begin, sizes] = [x.shape.map(() => 0), x.shape.map(() => -1)]
  begin[axis] = from
  sizes[axis] = size
  return slice(x, begin, sizes)
}

/** The heads of a band: its queries, and the keys and values that they see. */
const headsOf = ({ q, k, v, bias }: Heads, { row, rows, key, keys }: Band): Heads => ({
  q: along(q, 2, row, rows),
  k: along(k, 2, key, keys),
  v: along(v, 2, key, keys),
  bias: along(along(bias, bias.rank - 2, row, rows), bias.rank - 1, key, keys),
})

/** The same without parts, of queries that are scaled already. */
function attendWhole({ q, k, v, bias }: Heads, rate: number | Tensor, mode: Mode, options: AttentionOptions): Tensor {
  const { change, record } = options
  const products = sharedProduct(q, k, true)
  const scores = add(change === undefined ? products : change(products), bias)
  record?.(softmax(scores))
  return mix(scores, v, rate, mode)
}

/**
 * Scaled dot-product attention: `softmax(q·kᵀ · scale + bias)·v`, `[batch, heads, queries, width]`. `rate` is the dropout of
 * the weights. Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.
 */
export function attendHeads(heads: Heads, rate: number | Tensor, mode: Mode, options: AttentionOptions = {}): Tensor {
  const { scale = 1 / Math.sqrt(heads.q.shape.at(-1) as number), sight = {}, record } = options
  const scaled = { ...heads, q: scale === 1 ? heads.q : mul(heads.q, scale) }
  const [queries, keys] = [heads.q.shape[2] as number, heads.k.shape[2] as number]
  const isWhole = queries !== keys || record !== undefined || mode.launchBound === true
  const bands = isWhole ? [] : bandsOf(queries, sight)
  if (bands.length < 2) return attendWhole(scaled, rate, mode, options)
  const parts = bands.map((band, i) => attendWhole(headsOf(scaled, band), rate, modeAt(mode, i), options))
  return concat(parts, 2)
}

/**
 * Scaled dot-product attention with several heads: `softmax(q·kᵀ / √headSize + bias)·v`, heads joined again.
 * `q`, `k`, `v` are `[batch, length, hidden]`, `bias` broadcasts to `[batch, heads, length, length]`; the result is
 * `[batch, length, hidden]`. `rate` is the dropout of the weights.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.
 */
export function attention(
  { q, k, v, bias }: Heads,
  heads: number,
  rate: number | Tensor,
  mode: Mode,
  options: AttentionOptions = {},
): Tensor {
  const split = { q: splitHeads(q, heads), k: splitHeads(k, heads), v: splitHeads(v, heads), bias }
  return joinHeads(attendHeads(split, rate, mode, options))
}
