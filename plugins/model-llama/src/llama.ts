import {
  type EncoderOutputs,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  deriveKey,
} from '@attune/core'
import {
  type LayerContext,
  activation,
  attendHeads,
  attentionBlock,
  attentionBias,
  defaultPositions,
  embedding,
  emptyCache,
  filledWith,
  modeAt,
  mergeHeads,
  lastToken,
  layerGroups,
  layerStack,
  linear,
  normal,
  requireRepresentableSizes,
  rmsNorm,
  rotaryTables,
  rotate,
  splitHeads,
  writeCache,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, mul } from '@tensorflow/tfjs-core'
import { type Options, complete, options } from './options.js'

/** The options with the defaults of the family member, and values derived from them. */
type Shape = ReturnType<typeof complete>

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Shape): Record<string, readonly number[]> {
  const [H, F, Q, K] = [
    o.hiddenSize,
    o.intermediateSize,
    o.numAttentionHeads * o.headDim,
    o.numKeyValueHeads * o.headDim,
  ]
  const dense = (name: string, outputs: number, inputs: number, bias: boolean) => ({
    [`${name}.weight`]: [outputs, inputs],
    ...(bias ? { [`${name}.bias`]: [outputs] } : {}),
  })
  const layer = (at: string) => ({
    [`${at}.input_layernorm.weight`]: [H],
    ...dense(`${at}.self_attn.q_proj`, Q, H, o.biases.input),
    ...dense(`${at}.self_attn.k_proj`, K, H, o.biases.input),
    ...dense(`${at}.self_attn.v_proj`, K, H, o.biases.input),
    ...dense(`${at}.self_attn.o_proj`, H, Q, o.biases.output),
    ...(o.headNorms
      ? { [`${at}.self_attn.q_norm.weight`]: [o.headDim], [`${at}.self_attn.k_norm.weight`]: [o.headDim] }
      : {}),
    [`${at}.post_attention_layernorm.weight`]: [H],
    ...dense(`${at}.mlp.gate_proj`, F, H, o.mlpBias),
    ...dense(`${at}.mlp.up_proj`, F, H, o.mlpBias),
    ...dense(`${at}.mlp.down_proj`, H, F, o.mlpBias),
  })
  return {
    'model.embed_tokens.weight': [o.vocabSize, H],
    ...Object.assign({}, ...Array.from({ length: o.numHiddenLayers }, (_, i) => layer(`model.layers.${i}`))),
    'model.norm.weight': [H],
  }
}

/** Initial parameters: weights normal with deviation `initializerRange`, norm scales 1, biases 0, padding row 0. */
function init(o: Shape, key: Key): Params {
  const entries = Object.entries(requireRepresentableSizes(shapesOf(o))).map(([name, shape]): [string, Tensor] => {
    if (name.endsWith('norm.weight')) return [name, filledWith(shape, 1)]
    if (name.endsWith('.bias')) return [name, filledWith(shape, 0)]
    const padding = name === 'model.embed_tokens.weight' ? o.padTokenId : undefined
    return [name, normal(deriveKey(key, name), shape, o.initializerRange, padding)]
  })
  return Object.fromEntries(entries)
}

/** Shared inputs of all layers: the rotary tables, the attention biases and, with a KV cache, the index to write at. */
interface Shared {
  readonly cosine: Tensor
  readonly sine: Tensor
  readonly full: Tensor
  readonly sliding: Tensor
  readonly start: Tensor | undefined
}

/** Self-attention, `[batch, length, hidden]` → the same shape. */
function attend(
  o: Shape,
  params: Params,
  x: Tensor,
  shared: Shared,
  cache: TextInputs['cache'],
  c: LayerContext,
): Tensor {
  const at = `${c.at}.self_attn`
  const part = (name: 'q' | 'k' | 'v', heads: number): Tensor =>
    splitHeads(linear(params, `${at}.${name}_proj`, x, { bias: o.biases.input }), heads) // [batch, heads, length, headDim]
  const normed = (name: 'q' | 'k', y: Tensor): Tensor =>
    o.headNorms ? rmsNorm(params, `${at}.${name}_norm`, y, o.rmsNormEps) : y
  const cached = (name: string, added: Tensor): Tensor => {
    const all = cache === undefined ? added : writeCache(cache[`${c.index}.${name}`]!, added, shared.start)
    c.updateCache?.(name, all)
    return all // [batch, key heads, length or capacity, headDim]
  }
  const mixed = attendHeads(
    {
      q: rotate(normed('q', part('q', o.numAttentionHeads)), shared),
      k: cached('key', rotate(normed('k', part('k', o.numKeyValueHeads)), shared)),
      v: cached('value', part('v', o.numKeyValueHeads)),
      bias: o.slides(c.index) ? shared.sliding : shared.full,
    },
    o.attentionDropout,
    modeAt(c.mode, 0),
    { pattern: { causal: true, window: o.slides(c.index) ? o.window : undefined }, onAttention: c.onAttention },
  )
  return linear(params, `${at}.o_proj`, mergeHeads(mixed), { bias: o.biases.output })
}

/** One pre-norm layer, attention then gated feed-forward: `[batch, length, hidden]` → the same shape. */
function layer(
  o: Shape,
  params: Params,
  x: Tensor,
  shared: Shared,
  cache: TextInputs['cache'],
  c: LayerContext,
): Tensor {
  const normed = rmsNorm(params, `${c.at}.input_layernorm`, x, o.rmsNormEps)
  const seen = attentionBlock(params, `${c.at}.self_attn`, normed, (y) => attend(o, params, y, shared, cache, c))
  const attended = add(x, seen)
  const input = rmsNorm(params, `${c.at}.post_attention_layernorm`, attended, o.rmsNormEps)
  const part = (name: string, y: Tensor): Tensor => linear(params, `${c.at}.mlp.${name}_proj`, y, { bias: o.mlpBias })
  const wide = mul(activation(o.hiddenAct)(part('gate', input)), part('up', input)) // [batch, length, intermediate]
  return add(attended, part('down', wide))
}

function forward(o: Shape, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const { cosine, sine } = rotaryTables(inputs.positionIds ?? defaultPositions(inputs), o.headDim, o.rotary)
  const full = attentionBias(inputs, { causal: true })
  const sliding = o.window === undefined ? full : attentionBias(inputs, { causal: true, window: o.window })
  const tensors = [cosine, sine, full, sliding, ...(inputs.cacheStart === undefined ? [] : [inputs.cacheStart])]
  const words = embedding(params, 'model.embed_tokens', inputs.inputIds) // [batch, length, hidden]
  const stack = {
    count: o.numHiddenLayers,
    at: (i: number) => `model.layers.${i}`,
    layer(own: Params, y: Tensor, others: readonly Tensor[], c: LayerContext) {
      const [cos, sin, all, near, start] = others as [Tensor, Tensor, Tensor, Tensor, Tensor | undefined]
      return layer(o, own, y, { cosine: cos, sine: sin, full: all, sliding: near, start }, inputs.cache, c)
    },
    finish: (y: Tensor) => rmsNorm(params, 'model.norm', y, o.rmsNormEps),
  }
  const { x, kept } = layerStack(params, words, tensors, mode, stack, inputs.cache !== undefined)
  return { lastHiddenState: x, pooled: lastToken(x, inputs), ...kept }
}

const NAMES = { llama: 'Llama', mistral: 'Mistral', qwen2: 'Qwen2', qwen3: 'Qwen3' } as const

function create(given: Options): Model {
  const o = complete(given)
  return {
    prefix: 'model.',
    wordEmbeddings: 'model.embed_tokens.weight',
    heads: {
      'causal-language-modeling': {
        architecture: `${NAMES[o.modelType]}ForCausalLM`,
        tensors: o.tieWordEmbeddings ? {} : { weight: 'lm_head.weight' },
      },
      'sequence-classification': {
        architecture: `${NAMES[o.modelType]}ForSequenceClassification`,
        tensors: { 'classifier.weight': 'score.weight' },
      },
    },
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.reach,
    headDropout: 0,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['model.embed_tokens.'] },
      ...layerGroups('layer', o.numHiddenLayers, 'model.layers'),
      { name: 'norm', prefixes: ['model.norm.'] },
    ],
    config: configFromOptions(given),
    init: (key) => init(o, key),
    cache: (batch, capacity) => emptyCache(o.numHiddenLayers, [batch, o.numKeyValueHeads, capacity, o.headDim]),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }
}

/**
 * The Llama family: a pre-norm decoder with rotary position embeddings, RMSNorm, grouped-query attention and a gated feed-forward
 * layer. Mistral adds sliding-window attention, Qwen2 biases, Qwen3 norms of queries and keys. `pooled` is the hidden state of a
 * text's last token.
 */
export const llama = definePlugin({
  kind: MODEL,
  name: 'llama',
  summary: 'Decoder with rotary position embeddings: Llama, Mistral, Qwen2, Qwen3, SmolLM',
  source: 'Touvron et al., Llama 2, 2023, section 2.2',
  options,
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model llama': typeof llama
  }
}

export default llama
