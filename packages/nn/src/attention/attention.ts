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
import { type QueryBlock, queryBlocks } from './query-blocks.js'
import { dropout, modeAt } from '../layers/dropout.js'
import { hookOf } from '../layers/layer-hook.js'

/**
 * Attention block from its input `x` `[batch, length, hidden]` to its output projection. It is the site of a {@link
 * LayerHook} of kind `attention`. `compute` must read the queries' states from its argument.
 * @param name prefix of the names of its projections, without the trailing dot
 */
export function attentionBlock(params: Params, name: string, x: Tensor, compute: (x: Tensor) => Tensor): Tensor {
  const hook = hookOf(params)
  return hook === undefined ? compute(x) : hook({ kind: 'attention', name, params }, x, (y) => compute(y))
}

/** Splits heads: `[batch, length, hidden]` to `[batch, heads, length, hidden / heads]`. */
export const splitHeads = (x: Tensor, heads: number): Tensor => {
  const [batch, length, hidden] = x.shape as [number, number, number]
  return transpose(reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3])
}

/**
 * Concatenates heads, the inverse of {@link splitHeads}: `[batch, heads, length, headSize]` to `[batch, length, heads
 * · headSize]`.
 */
export const mergeHeads = (x: Tensor): Tensor => {
  const [batch, heads, length, headSize] = x.shape as [number, number, number, number]
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * headSize])
}

/**
 * Stacks the rows of all query heads that share a key head (grouped-query attention): `[batch, heads, rows, n]` to
 * `[batch, few, heads/few · rows, n]`.
 */
const grouped = (x: Tensor, few: number): Tensor => {
  const [batch, heads, rows, size] = x.shape as [number, number, number, number]
  return heads === few ? x : reshape(x, [batch, few, (heads / few) * rows, size])
}

/**
 * `a·b` or `a·bᵀ` for grouped-query attention: several heads of `a` `[batch, heads, rows, n]` share one head of `b`
 * `[batch, few, …]`. Keys are not repeated; the rows of the heads that share them form one larger product.
 */
const sharedProduct = (a: Tensor, b: Tensor, transposed = false): Tensor => {
  const [batch, heads, rows] = a.shape as [number, number, number]
  const product = matMul(grouped(a, b.shape[1] as number), b, false, transposed)
  return reshape(product, [batch, heads, rows, product.shape[3] as number])
}

/**
 * `O = D(softmax(scores))·v`, with dropout `D`, and its gradient in closed form: with `W` the softmax and `P =
 * ∂O·vᵀ`,
 *
 *     ∂v = D(W)ᵀ·∂O,   ∂scores = D(W)∘P − W∘r,   r = Σ ∂O∘O over the head's width
 *
 * The gradient of a plain softmax computes `r` from the larger `W∘∂W`, which has the same sum.
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

/** Queries, keys and values by head, and the additive attention mask. */
export interface Heads {
  /** `[batch, heads, queries, headSize]` */
  readonly q: Tensor
  /**
   * `[batch, heads, keys, headSize]`; for grouped-query attention fewer heads, a divisor of the number of query heads
   */
  readonly k: Tensor
  /** `[batch, heads, keys, width]`, with the same number of heads as the keys */
  readonly v: Tensor
  /** Broadcasts to `[batch, heads, queries, keys]`. */
  readonly bias: Tensor
}

/** Options of {@link attendHeads}. */
export interface AttentionOptions {
  /** Factor of the scores. Default: `1 / √headSize`. */
  readonly scale?: number
  /** Transforms the scores before the bias is added, for example soft-capping: `softcap · tanh(scores / softcap)`. */
  readonly transformScores?: (scores: Tensor) => Tensor
  /**
   * Attention pattern of the bias. With equal numbers of keys and queries, key blocks that the pattern masks for a
   * whole query block are not computed.
   */
  readonly pattern?: AttentionPattern | undefined
  /** Receives the attention weights before dropout, `[batch, heads, queries, keys]`. */
  readonly onAttention?: ((weights: Tensor) => void) | undefined
}

/** Slice of `size` entries from `from` along an axis; an axis of size 1 is broadcast and left unchanged. */
function sliceAlong(x: Tensor, axis: number, from: number, size: number): Tensor {
  if (x.shape[axis] === 1) return x
  const [begin, sizes] = [x.shape.map(() => 0), x.shape.map(() => -1)]
  begin[axis] = from
  sizes[axis] = size
  return slice(x, begin, sizes)
}

/** Heads restricted to a query block and the keys and values it attends to. */
const headsOf = ({ q, k, v, bias }: Heads, { row, rows, key, keys }: QueryBlock): Heads => ({
  q: sliceAlong(q, 2, row, rows),
  k: sliceAlong(k, 2, key, keys),
  v: sliceAlong(v, 2, key, keys),
  bias: sliceAlong(sliceAlong(bias, bias.rank - 2, row, rows), bias.rank - 1, key, keys),
})

/** Attention in one block. The queries are already scaled. */
function attendBlock({ q, k, v, bias }: Heads, rate: number | Tensor, mode: Mode, options: AttentionOptions): Tensor {
  const { transformScores, onAttention } = options
  const products = sharedProduct(q, k, true)
  const scores = add(transformScores === undefined ? products : transformScores(products), bias)
  onAttention?.(softmax(scores))
  return mix(scores, v, rate, mode)
}

/**
 * Scaled dot-product attention: `softmax(q·kᵀ · scale + bias)·v`, `[batch, heads, queries, width]`. `rate` is the
 * dropout probability of the attention weights. The default scale is `1 / √width`: `1 / width`, as some textbooks print it,
 * is wrong, since products of independent entries have a standard deviation of `√width` (footnote 4 of the source).
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.
 */
export function attendHeads(heads: Heads, rate: number | Tensor, mode: Mode, options: AttentionOptions = {}): Tensor {
  const { scale = 1 / Math.sqrt(heads.q.shape.at(-1) as number), pattern = {}, onAttention } = options
  const scaled = { ...heads, q: scale === 1 ? heads.q : mul(heads.q, scale) }
  const [queries, keys] = [heads.q.shape[2] as number, heads.k.shape[2] as number]
  const isSingle = queries !== keys || onAttention !== undefined || mode.launchBound === true
  const blocks = isSingle ? [] : queryBlocks(queries, pattern)
  if (blocks.length < 2) return attendBlock(scaled, rate, mode, options)
  const parts = blocks.map((block, i) => attendBlock(headsOf(scaled, block), rate, modeAt(mode, i), options))
  return concat(parts, 2)
}

/**
 * Multi-head attention: `softmax(q·kᵀ / √headSize + bias)·v` per head, heads concatenated. `q`, `k` and `v` are
 * `[batch, length, hidden]`, `bias` broadcasts to `[batch, heads, length, length]`; the result is `[batch, length,
 * hidden]`. `rate` is the dropout probability of the attention weights.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.2.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { attention, paddingBias } from '@attune/nn'
 * import { tensor } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const x = tensor([[[1, 0], [0, 1], [9, 9]]]) // [batch, length, hidden]; the last token is padding
 * const bias = paddingBias(tensor([[1, 1, 0]], undefined, 'int32'))
 * const y = attention({ q: x, k: x, v: x, bias }, 1, 0, { training: false })
 * console.log(y.shape, Array.from(y.dataSync().slice(0, 2), (value) => value.toFixed(2))) // [ 1, 3, 2 ] [ '0.67', '0.33' ]
 * ```
 */
export function attention(
  { q, k, v, bias }: Heads,
  heads: number,
  rate: number | Tensor,
  mode: Mode,
  options: AttentionOptions = {},
): Tensor {
  const split = { q: splitHeads(q, heads), k: splitHeads(k, heads), v: splitHeads(v, heads), bias }
  return mergeHeads(attendHeads(split, rate, mode, options))
}
