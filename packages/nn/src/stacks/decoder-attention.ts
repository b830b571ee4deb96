import type { Cache, Mode } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type AttentionOptions, attendHeads, mergeHeads } from '../attention/attention.js'
import { writeCache } from '../attention/cache.js'
import { projectOnce } from '../attention/cross-attention.js'
import type { LayerContext } from './layer-stack.js'

/** Encoder states that a decoder layer attends to, the bias that masks their padding, and the decoder's KV cache. */
export interface EncoderContext {
  readonly states: Tensor
  readonly bias: Tensor
  /** Cache slot of the first token, `[]`, int32; undefined without a cache, or if tokens are appended to it. */
  readonly start: Tensor | undefined
  readonly cache: Cache | undefined
}

/**
 * Inputs of an attention sub-layer: hidden states `[batch, length, hidden]` and the bias of its scores. `keys`
 * default to `queries`.
 */
export interface AttentionInputs {
  readonly queries: Tensor
  readonly keys?: Tensor
  readonly bias: Tensor
  /** Returns keys or values, `[batch, heads, length, headSize]`: projected by `make`, or from the cache. */
  readonly held: (name: 'key' | 'value', make: () => Tensor) => Tensor
}

/**
 * Self-attention of an encoder layer or, with `context`, of a decoder layer, whose keys and values go through the KV
 * cache.
 */
export const selfAttention = (
  x: Tensor,
  bias: Tensor,
  context: EncoderContext | undefined,
  c: LayerContext,
): AttentionInputs => ({
  queries: x,
  bias,
  held(name, make) {
    if (context?.cache === undefined) return make()
    const all = writeCache(context.cache[`${c.index}.${name}`]!, make(), context.start)
    c.updateCache?.(name, all)
    return all // [batch, heads, capacity, headSize]
  },
})

/** Cross-attention of a decoder layer: keys and values are projected once per text. */
export const crossAttention = (queries: Tensor, context: EncoderContext, c: LayerContext): AttentionInputs => ({
  queries,
  keys: context.states,
  bias: context.bias,
  held: (name, make) => projectOnce(c, context.cache, name, make),
})

/**
 * Multi-head attention before its output projection, `[batch, queries, heads · headSize]`.
 * @param project projects states to `q`, `k` or `v`, `[batch, heads, length, headSize]`
 * @param rate dropout probability of the attention weights
 */
export function attendProjected(
  { queries, keys = queries, bias, held }: AttentionInputs,
  project: (part: 'q' | 'k' | 'v', x: Tensor) => Tensor,
  rate: number | Tensor,
  mode: Mode,
  options: AttentionOptions,
): Tensor {
  const [k, v] = [held('key', () => project('k', keys)), held('value', () => project('v', keys))]
  return mergeHeads(attendHeads({ q: project('q', queries), k, v, bias }, rate, mode, options))
}
