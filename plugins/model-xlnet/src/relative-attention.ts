import type { Params, TextInputs } from '@attune/core'
import { type LayerContext, attendHeads, modeAt, parameter } from '@attune/nn'
import {
  type Tensor,
  add,
  cast,
  clipByValue,
  concat,
  cos,
  equal,
  expandDims,
  logicalAnd,
  logicalOr,
  matMul,
  mul,
  notEqual,
  range,
  reshape,
  sin,
  slice,
  sub,
  tensor,
  transpose,
} from '@tensorflow/tfjs-core'

/** Subtracted from the score of a position that a query must not attend to. */
const HIDDEN = 1e9

/** Float, 0 where `allowed` (bool, `[batch or 1, queries, keys]`) is true: `[1, batch or 1, queries, keys]`. */
const biasOf = (allowed: Tensor): Tensor => expandDims(mul(sub(cast(allowed, 'float32'), 1), HIDDEN), 0)

/**
 * Attention biases of the two streams, `[1, batch, length or 1, length]`: a query attends neither to padding, nor to another packed
 * text, nor to positions hidden by the permutation; a content token also attends to itself, even if hidden.
 */
export function streamBiases(inputs: TextInputs): { readonly content: Tensor; readonly query: Tensor } {
  const { inputIds, attentionMask, permutationMask, segmentIds } = inputs
  const positions = range(0, inputIds.shape[1] as number, 1, 'int32')
  const conditions = [
    equal(expandDims(attentionMask, 1), 1), // [batch, 1, length]
    ...(permutationMask === undefined ? [] : [equal(permutationMask, 0)]),
    ...(segmentIds === undefined ? [] : [equal(expandDims(segmentIds, 2), expandDims(segmentIds, 1))]),
  ]
  const seen = conditions.reduce((all, each) => logicalAnd(all, each))
  const self = expandDims(equal(expandDims(positions, 1), expandDims(positions, 0)), 0) // [1, length, length]
  return { content: biasOf(logicalOr(seen, self)), query: biasOf(seen) }
}

/** 1 where two tokens are of different types, `[1, batch, length, length]`. */
export const typesDiffer = ({ tokenTypeIds }: TextInputs): Tensor =>
  expandDims(cast(notEqual(expandDims(tokenTypeIds, 2), expandDims(tokenTypeIds, 1)), 'float32'), 0)

/**
 * Sines, then cosines of the distances `length`, `length − 1`, …, `1 − length`, `[2·length, width]`; a positive `clamp` is the maximum
 * distance, to which larger ones are clipped. Source: Dai et al., Transformer-XL, 2019, section 3.3.
 */
export function distances(length: number, width: number, clamp: number): Tensor {
  const frequencies = Float32Array.from({ length: Math.ceil(width / 2) }, (_, i) => 10_000 ** ((-2 * i) / width))
  const offsets = range(length, -length, -1, 'float32')
  const clamped = clamp > 0 ? clipByValue(offsets, -clamp, clamp) : offsets
  const angles = mul(expandDims(clamped, 1), tensor(frequencies, [1, frequencies.length]))
  return concat([sin(angles), cos(angles)], 1)
}

/** Converts products with all distances, `[heads, batch, length, 2·length]`, to those of each query–key pair. */
function shift(products: Tensor): Tensor {
  const [heads, batch, length] = products.shape as [number, number, number]
  const turned = slice(reshape(products, [heads, batch, 2 * length, length]), [0, 0, 1, 0])
  return slice(reshape(turned, [heads, batch, length, 2 * length - 1]), [0, 0, 0, 0], [-1, -1, -1, length])
}

/** `x` `[batch, length, hidden]` times `weight` `[hidden, heads, headSize]`: `[batch, length, heads · headSize]`. */
function project(x: Tensor, weight: Tensor): Tensor {
  const [hidden, heads, headSize] = weight.shape as [number, number, number]
  const product = matMul(reshape(x, [-1, hidden]), reshape(weight, [hidden, heads * headSize]))
  return reshape(product, [...x.shape.slice(0, -1), heads * headSize])
}

/** `[batch, length, heads · headSize]` to `[heads, batch, length, headSize]`: heads first, since all rows share the distances. */
function headsFirst(x: Tensor, heads: number): Tensor {
  const [batch, length, width] = x.shape as [number, number, number]
  return transpose(reshape(x, [batch, length, heads, width / heads]), [2, 0, 1, 3])
}

/** Keys, values and relative positions that both streams attend to, by head. */
interface Attended {
  /** `[heads, batch, length, headSize]` */
  readonly k: Tensor
  readonly v: Tensor
  /** `[heads, 2·length, headSize]` */
  readonly r: Tensor
  /** `[1, batch, length, length]` */
  readonly differs: Tensor
}

/**
 * Attention of one stream, from queries `[batch, length, heads · headSize]` to the same shape. A score is
 *
 *     ((q + r_w_bias)·k + (q + r_r_bias)·r + (q + r_s_bias)·s) / √headSize
 *
 * with `r` for the distance and `s` for equal or different token types; only the difference of the two `s` matters to the softmax.
 */
function attendStream(
  own: Params,
  queries: Tensor,
  bias: Tensor,
  seen: Attended,
  rate: number | Tensor,
  c: LayerContext,
): Tensor {
  const part = (name: string): Tensor => parameter(own, `${c.at}.rel_attn.${name}`)
  const [heads, batch, length, headSize] = seen.k.shape as [number, number, number, number]
  const q = headsFirst(queries, heads) // [heads, batch, length, headSize]
  const towards = (name: string): Tensor => add(q, reshape(part(name), [heads, 1, 1, headSize]))
  const rows = (name: string): Tensor =>
    reshape(mul(towards(name), 1 / Math.sqrt(headSize)), [heads, batch * length, headSize])
  const byDistance = matMul(rows('r_r_bias'), seen.r, false, true) // [heads, batch · length, 2·length]
  const [same, other] = [0, 1].map((i) => slice(part('seg_embed'), [i, 0, 0], [1, -1, -1])) as [Tensor, Tensor]
  const byType = matMul(rows('r_s_bias'), reshape(sub(other, same), [heads, headSize, 1])) // [heads, batch · length, 1]
  const relative = add(
    shift(reshape(byDistance, [heads, batch, length, 2 * length])),
    mul(reshape(byType, [heads, batch, length, 1]), seen.differs),
  )
  const { onAttention } = c
  const mixed = attendHeads({ q: towards('r_w_bias'), k: seen.k, v: seen.v, bias: add(relative, bias) }, rate, c.mode, {
    onAttention: onAttention && ((weights) => onAttention(transpose(weights, [1, 0, 2, 3]))),
  })
  return reshape(transpose(mixed, [1, 2, 0, 3]), [batch, length, heads * headSize])
}

/**
 * Attention output for `x` `[batch, length + targets, hidden]`: the content stream, followed by the queries of the targets, whose
 * positions `mapping` contains. `others` are distances, differing types, the content bias and, if there are targets, the query bias and
 * `mapping`. `rate` is the dropout probability of the attention weights.
 * Source: Yang et al., XLNet, 2019, sections 2.3 and 2.4.
 */
export function relativeAttention(
  own: Params,
  x: Tensor,
  others: readonly Tensor[],
  rate: number | Tensor,
  c: LayerContext,
): Tensor {
  const part = (name: string): Tensor => parameter(own, `${c.at}.rel_attn.${name}`)
  const [far, differs, content, query, mapping] = others as [Tensor, Tensor, Tensor, Tensor?, Tensor?]
  const length = differs.shape[2] as number
  const [hidden, heads, headSize] = part('q').shape as [number, number, number]
  const contents = slice(x, [0, 0, 0], [-1, length, -1])
  const byHead = (name: string): Tensor => headsFirst(project(contents, part(name)), heads)
  const r = transpose(reshape(project(far, part('r')), [2 * length, heads, headSize]), [1, 0, 2])
  const seen: Attended = { k: byHead('k'), v: byHead('v'), r, differs }
  const queries = project(x, part('q')) // [batch, length + targets, heads · headSize]
  const first = slice(queries, [0, 0, 0], [-1, length, -1])
  const streams = [attendStream(own, first, content, seen, rate, { ...c, mode: modeAt(c.mode, 0) })]
  if (query !== undefined && mapping !== undefined) {
    const placed = matMul(mapping, slice(queries, [0, length, 0], [-1, -1, -1]), true) // [batch, length, heads · headSize]
    const silent = { ...c, mode: modeAt(c.mode, 1), onAttention: undefined }
    streams.push(matMul(mapping, attendStream(own, placed, query, seen, rate, silent)))
  }
  const mixed = concat(streams, 1) // [batch, length + targets, heads · headSize]
  const outwards = reshape(part('o'), [hidden, heads * headSize])
  return reshape(matMul(reshape(mixed, [-1, heads * headSize]), outwards, false, true), x.shape)
}
