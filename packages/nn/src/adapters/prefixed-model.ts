import type { Cache, EncoderOutputs, Engine, Model, Params, TextInputs } from '@attune/core'
import { type Tensor, add, expandDims, reshape, scalar, slice, transpose, zeros } from '@tensorflow/tfjs-core'
import { writeCache } from '../attention/cache.js'
import { lastToken } from '../heads/last-token.js'
import { UNREAD, afterTokens, ownCache, requirePlain } from './prompted-model.js'
import { type VirtualTokens, adapterMismatch } from './virtual-tokens.js'

/** Keys or values of one layer in the vector of a virtual token. */
interface CacheEntry {
  readonly name: string
  readonly heads: number
  readonly size: number
}

/** The keys and values of a model for one token, in the order of peft: those of the first layer first. */
export interface CacheLayout {
  readonly entries: readonly CacheEntry[]
  /** Number of values of all keys and values of a token. */
  readonly width: number
}

/**
 * The layout of a model's keys and values.
 * @throws AttuneError `ADAPTER_MISMATCH` for a model without a KV cache
 */
export function cacheLayout(adapter: string, engine: Engine, { cache, recurrent, config }: Model): CacheLayout {
  if (cache === undefined || recurrent === true)
    throw adapterMismatch(
      adapter,
      `a decoder with keys and values, got ${String(config['model_type'])}`,
      'Use a decoder (gpt2, llama, …), or another adapter, such as prompt-tuning.',
    )
  const create = engine.compile(() => cache(1, 1))
  const made = create()
  create.dispose()
  const entries = Object.entries(made).map(([name, { shape }]) => ({ name, heads: shape[1]!, size: shape[3]! }))
  engine.release(made)
  return { entries, width: entries.reduce((sum, { heads, size }) => sum + heads * size, 0) }
}

/** Keys and values from the vectors of virtual tokens: `[count, width]` to `[batch, heads, count, size]` by name. */
function keysAndValues(vectors: Tensor, { entries }: CacheLayout, batch: number): Cache {
  const count = vectors.shape[0]!
  let start = 0
  const named = entries.map(({ name, heads, size }): [string, Tensor] => {
    const own = reshape(slice(vectors, [0, start], [count, heads * size]), [count, heads, size])
    start += heads * size
    return [name, add(expandDims(transpose(own, [1, 0, 2]), 0), zeros([batch, 1, 1, 1]))]
  })
  return Object.fromEntries(named)
}

/** Outputs without those of the virtual tokens. Without a cache of the caller's, the vector of a text is that of its last token. */
function ofText(outputs: EncoderOutputs, inputs: TextInputs, count: number): EncoderOutputs {
  const { lastHiddenState, hiddenStates, attentions, cache } = outputs
  const keys = (x: Tensor): Tensor => slice(x, [0, 0, 0, count], [-1, -1, -1, -1])
  const seen =
    attentions && Object.fromEntries(Object.entries(attentions).map(([index, weights]) => [index, keys(weights)]))
  return {
    lastHiddenState,
    get pooled() {
      return lastToken(lastHiddenState, inputs)
    },
    ...(hiddenStates === undefined ? {} : { hiddenStates }),
    ...(seen === undefined ? {} : { attentions: seen }),
    ...(inputs.cache === undefined ? {} : { cache: cache! }),
  }
}

/**
 * A decoder whose layers attend to the keys and values of virtual tokens before each text, `[count, width]` vectors in the given layout.
 * Positions, the attention mask and the KV cache shift by their number. Gradient checkpointing has no effect, as with every KV cache.
 * @throws AttuneError `ADAPTER_MISMATCH` in a forward pass on packed or permuted texts
 */
export function prefixedModel(model: Model, { adapter, count, vectors }: VirtualTokens, layout: CacheLayout): Model {
  const prefix = (params: Params, { inputIds }: TextInputs): Cache =>
    keysAndValues(vectors(params), layout, inputIds.shape[0]!)
  const written = (cache: Cache, added: Cache): Cache =>
    Object.fromEntries(
      Object.entries(ownCache(cache)).map(([name, held]) => [name, writeCache(held, added[name]!, scalar(0, 'int32'))]),
    )
  return {
    ...model,
    cache: (batch, capacity) => ({ ...model.cache!(batch, capacity + count), [UNREAD]: zeros([batch, 1]) }),
    forward(params, inputs, mode) {
      requirePlain(adapter, inputs)
      const { cache } = inputs
      const later = afterTokens(inputs, count)
      if (cache !== undefined && cache[UNREAD] === undefined) return model.forward(params, later, mode)
      const added = prefix(params, inputs)
      const given = { ...later, cache: cache === undefined ? added : written(cache, added) }
      return ofText(model.forward(params, given, mode), inputs, count)
    },
  }
}
