import { type Model, type Params, type TextInputs, deriveKey as foldKey } from '@attune/core'
import {
  type LayerContext,
  attendHeads,
  attentionBlock,
  attentionBias,
  defaultPositions,
  dropout,
  embedding,
  emptyCache,
  modeAt,
  mergeHeads,
  layerStack,
  linear,
  normal,
  splitHeads,
  writeCache,
} from '@attune/nn'
import { type Tensor, add, slice, squeeze } from '@tensorflow/tfjs-core'

const [VOCABULARY, HIDDEN, LENGTH] = [128, 4, 12]
const AT = 'decoder.layer.0'
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'decoder.words.weight': [VOCABULARY, HIDDEN],
  'decoder.positions.weight': [LENGTH, HIDDEN],
  ...Object.fromEntries(['query', 'key', 'value'].map((part) => [`${AT}.${part}.weight`, [HIDDEN, HIDDEN]])),
}

/** Self-attention with one head, `[batch, length, hidden]` → the same shape. */
function attend(
  params: Params,
  x: Tensor,
  bias: Tensor,
  slot: Tensor | undefined,
  cache: TextInputs['cache'],
  { mode, onAttention, updateCache }: LayerContext,
): Tensor {
  const part = (name: string): Tensor => splitHeads(linear(params, `${AT}.${name}`, x, { bias: false }), 1)
  const held = (name: 'key' | 'value'): Tensor => {
    if (cache === undefined) return part(name)
    const all = writeCache(cache[`0.${name}`]!, part(name), slot)
    updateCache?.(name, all)
    return all // [batch, 1, capacity, hidden]
  }
  const heads = { q: part('query'), k: held('key'), v: held('value'), bias }
  return mergeHeads(attendHeads(heads, 0, mode, { onAttention }))
}

/**
 * A tiny decoder of one layer with a KV cache: hidden size 4, vocabulary 128, maximum length 12, dropout 0.1 on the embeddings. For
 * suites of plugins that need keys and values.
 */
export const tinyDecoder = (): Model => ({
  prefix: 'decoder.',
  wordEmbeddings: 'decoder.words.weight',
  heads: {},
  hiddenSize: HIDDEN,
  maximumLength: LENGTH,
  headDropout: 0.1,
  initializerRange: 0.5,
  layers: [
    { name: 'embeddings', prefixes: ['decoder.words.', 'decoder.positions.'] },
    { name: 'layer 0', prefixes: [`${AT}.`] },
  ],
  config: { model_type: 'decoder' },
  init: (key) =>
    Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, normal(foldKey(key, name), shape, 0.5)])),
  cache: (batch, capacity) => emptyCache(1, [batch, 1, capacity, HIDDEN]),
  forward(params, inputs: TextInputs, mode) {
    const positions = embedding(params, 'decoder.positions', inputs.positionIds ?? defaultPositions(inputs))
    const begin = dropout(add(embedding(params, 'decoder.words', inputs.inputIds), positions), 0.1, modeAt(mode, 0))
    const start = inputs.cacheStart === undefined ? [] : [inputs.cacheStart]
    const { x, kept } = layerStack(
      params,
      begin, // [batch, length, hidden]
      [attentionBias(inputs, { causal: true }), ...start],
      mode,
      {
        count: 1,
        at: () => AT,
        layer: (own, y, [bias, slot], context) =>
          add(
            y,
            attentionBlock(own, AT, y, (z) => attend(own, z, bias!, slot, inputs.cache, context)),
          ),
      },
      inputs.cache !== undefined,
    )
    return { lastHiddenState: x, pooled: squeeze(slice(x, [0, 0, 0], [-1, 1, -1]), [1]), ...kept }
  },
})
