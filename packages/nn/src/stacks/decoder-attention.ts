import type { Cache, Mode } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type AttentionOptions, attendHeads, joinHeads } from '../attention/attention.js'
import { writeCache } from '../attention/cache.js'
import { madeOnce } from '../attention/cross-attention.js'
import type { LayerContext } from './layer-stack.js'

/** Encoder states that a decoder layer attends to, the bias that masks their padding, and the decoder's KV cache. */
export interface EncoderContext {
  readonly states: Tensor
  readonly bias: Tensor
  /** The cache's slot of the first token, `[]`, int32; with a cache only. */
  readonly start: Tensor | undefined
  readonly cache: Cache | undefined
}

/** Inputs of an attention sub-layer: states `[batch, length, hidden]` and the bias of its scores. Keys are the queries' states by default. */
export interface AttentionInputs {
  readonly queries: Tensor
  readonly keys?: Tensor
  readonly bias: Tensor
  /** Keys or values, `[batch, heads, length, headSize]`: what `make` projects, or the cache's. */
  readonly held: (name: 'key' | 'value', make: () => Tensor) => Tensor
}

/** Self-attention of an encoder layer or, with `context`, a decoder layer, whose keys and values go through the cache. */
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
    const all = writeCache(context.cache[`${c.index}.${name}`]!, make(), context.start!)
    c.remember?.(name, all)
    return all // [batch, heads, capacity, headSize]
  },
})

/** Cross-attention of a decoder layer: keys and values are projected once for each text. */
export const crossAttention = (queries: Tensor, context: EncoderContext, c: LayerContext): AttentionInputs => ({
  queries,
  keys: context.states,
  bias: context.bias,
  held: (name, make) => madeOnce(c, context.cache, name, make),
})

/**
 * Multi-head attention before its output projection, `[batch, queries, heads · headSize]`.
 * @param project the projection `q`, `k` or `v` of states, `[batch, heads, length, headSize]`
 * @param rate probability of dropout of the attention weights
 */
export function attendProjected(
  { queries, keys = queries, bias, held }: AttentionInputs,
  project: (part: 'q' | 'k' | 'v', x: Tensor) => Tensor,
  rate: number,
  mode: Mode,
  options: AttentionOptions,
): Tensor {
  const [k, v] = [held('key', () => project('k', keys)), held('value', () => project('v', keys))]
  return joinHeads(attendHeads({ q: project('q', queries), k, v, bias }, rate, mode, options))
}
