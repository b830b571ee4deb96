import type { TextInputs } from '@attune/core'
import {
  type Tensor,
  abs,
  add,
  cast,
  equal,
  expandDims,
  less,
  lessEqual,
  logicalAnd,
  mul,
  range,
  reshape,
  sub,
} from '@tensorflow/tfjs-core'
import { slotsOf } from './cache.js'

/**
 * Added, negated, to masked scores: large enough that their softmax weight is 0, small enough that sums do not
 * overflow.
 */
const MASKED = 1e9

/** 0 where `allowed` (bool) is true, a large negative value elsewhere. */
const biasOf = (allowed: Tensor): Tensor => mul(sub(cast(allowed, 'float32'), 1), MASKED)

/**
 * Additive padding mask: 0 where `attentionMask` `[batch, length]` is 1 and a large negative value where it is 0, as
 * `[batch, 1, 1, length]`.
 */
export const paddingBias = (attentionMask: Tensor): Tensor => {
  const [batch, length] = attentionMask.shape as [number, number]
  return reshape(biasOf(attentionMask), [batch, 1, 1, length])
}

/** Attention pattern: the tokens that a token attends to, among those of its own text that are not padding. */
export interface AttentionPattern {
  /** Causal mask: a token attends to itself and earlier tokens only. */
  readonly causal?: boolean
  /**
   * Sliding window: only tokens at a distance below `window`; with `causal`, the token itself and the `window − 1`
   * before it.
   */
  readonly window?: number | undefined
}

/**
 * Attention mask by position, `[queries, keys]`, bool: true where the query attends to the key. Undefined if all are
 * true.
 */
function allowedByPosition(
  rows: Tensor,
  keys: number,
  { causal = false, window }: AttentionPattern,
): Tensor | undefined {
  const columns = expandDims(range(0, keys, 1, 'int32'), 0)
  const near = window === undefined ? undefined : less(abs(sub(rows, columns)), window)
  const past = causal ? lessEqual(columns, rows) : undefined
  return near === undefined ? past : past === undefined ? near : logicalAnd(past, near)
}

/**
 * Additive attention mask of scores: masks padding, tokens of other texts packed into the same row, and positions
 * outside the attention pattern `pattern`. `[batch, 1, queries, keys]`, with 1 query if all queries have the same mask.
 * With a KV cache, the keys are the cache's slots.
 */
export function attentionBias(inputs: TextInputs, pattern: AttentionPattern = {}): Tensor {
  const { attentionMask, segmentIds } = inputs
  const padding = paddingBias(attentionMask)
  const rows = expandDims(slotsOf(inputs), 1) // [queries, 1]
  const allowed = allowedByPosition(rows, attentionMask.shape[1] as number, pattern)
  const bias = allowed === undefined ? padding : add(padding, biasOf(allowed))
  if (segmentIds === undefined) return bias
  const sameText = equal(expandDims(segmentIds, 2), expandDims(segmentIds, 1)) // [batch, length, length]
  return add(bias, expandDims(biasOf(sameText), 1))
}
