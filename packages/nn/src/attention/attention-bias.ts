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

/** What a score is lowered by where a query must not look: so much that its weight is 0, and not so much that sums overflow. */
const HIDDEN = 1e9

/** 0 where `allowed` (bool) is true and a large negative number where it is not. */
const biasOf = (allowed: Tensor): Tensor => mul(sub(cast(allowed, 'float32'), 1), HIDDEN)

/**
 * What is added to attention scores so that padding is not looked at: 0 where `attentionMask` `[batch, length]` is 1 and
 * a large negative number where it is 0, as `[batch, 1, 1, length]`.
 */
export const paddingBias = (attentionMask: Tensor): Tensor => {
  const [batch, length] = attentionMask.shape as [number, number]
  return reshape(biasOf(attentionMask), [batch, 1, 1, length])
}

/** Which tokens a token sees besides those of its text that are not padding. */
export interface AttentionPattern {
  /** Only itself and what stands before it. */
  readonly causal?: boolean
  /** Only tokens less than this many places away; with `causal`, itself and `window − 1` before it. */
  readonly window?: number | undefined
}

/** `[queries, keys]`, bool: which keys each query may look at by its place. */
function allowedByPlace(rows: Tensor, keys: number, { causal = false, window }: AttentionPattern): Tensor | undefined {
  const columns = expandDims(range(0, keys, 1, 'int32'), 0)
  const near = window === undefined ? undefined : less(abs(sub(rows, columns)), window)
  const past = causal ? lessEqual(columns, rows) : undefined
  return near === undefined ? past : past === undefined ? near : logicalAnd(past, near)
}

/**
 * What is added to attention scores so that a token sees only what it may: no padding, no other text that was packed into
 * its row, and by its place as `sight` says. `[batch, 1, queries, keys]`, with 1 queries where all see the same; with a cache
 * the keys are its slots.
 */
export function attentionBias(inputs: TextInputs, sight: AttentionPattern = {}): Tensor {
  const { inputIds, attentionMask, segmentIds, cacheStart } = inputs
  const length = inputIds.shape[1] as number
  const padding = paddingBias(attentionMask)
  const places = range(0, length, 1, 'int32')
  const rows = expandDims(cacheStart === undefined ? places : add(places, cacheStart), 1) // [queries, 1]
  const allowed = allowedByPlace(rows, attentionMask.shape[1] as number, sight)
  const bias = allowed === undefined ? padding : add(padding, biasOf(allowed))
  if (segmentIds === undefined) return bias
  const same = equal(expandDims(segmentIds, 2), expandDims(segmentIds, 1)) // [batch, length, length]
  return add(bias, expandDims(biasOf(same), 1))
}
