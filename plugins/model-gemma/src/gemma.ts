import {
  type EncoderOutputs,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  mapParams,
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
  initialParameters,
  mergeHeads,
  lastToken,
  layerGroups,
  layerStack,
  linear,
  rmsNorm,
  rotaryTables,
  rotate,
  splitHeads,
  writeCache,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, mul, tanh } from '@tensorflow/tfjs-core'
import { type Options, complete, options } from './options.js'

/** The options with the defaults of the family member, and values derived from them. */
type Shape = ReturnType<typeof complete>

const WORDS = 'model.embed_tokens.weight'

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Shape): Record<string, readonly number[]> {
  const [H, F, D] = [o.hiddenSize, o.intermediateSize, o.headDim]
  const [Q, K] = [o.numAttentionHeads * D, o.numKeyValueHeads * D]
  const dense = (name: string, outputs: number, inputs: number) => ({
    [`${name}.weight`]: [outputs, inputs],
    ...(o.attentionBias ? { [`${name}.bias`]: [outputs] } : {}),
  })
  const norms = ['input', 'post_attention', ...(o.sandwich ? ['pre_feedforward', 'post_feedforward'] : [])]
  const layer = (at: string) => ({
    ...Object.fromEntries(norms.map((name) => [`${at}.${name}_layernorm.weight`, [H]])),
    ...dense(`${at}.self_attn.q_proj`, Q, H),
    ...dense(`${at}.self_attn.k_proj`, K, H),
    ...dense(`${at}.self_attn.v_proj`, K, H),
    ...dense(`${at}.self_attn.o_proj`, H, Q),
    ...(o.headNorms ? { [`${at}.self_attn.q_norm.weight`]: [D], [`${at}.self_attn.k_norm.weight`]: [D] } : {}),
    [`${at}.mlp.gate_proj.weight`]: [F, H],
    [`${at}.mlp.up_proj.weight`]: [F, H],
    [`${at}.mlp.down_proj.weight`]: [H, F],
  })
  return {
    [WORDS]: [o.vocabSize, H],
    ...Object.assign({}, ...Array.from({ length: o.numHiddenLayers }, (_, i) => layer(`model.layers.${i}`))),
    'model.norm.weight': [H],
  }
}

/** Initial parameters: weights normal with deviation `initializerRange`, padding row 0, norm weights 0, since the scale is 1 + weight. */
function init(o: Shape, key: Key): Params {
  const shapes = Object.entries(shapesOf(o))
  const norms = shapes.filter(([name]) => name.endsWith('norm.weight'))
  const others = shapes.filter(([name]) => !name.endsWith('norm.weight'))
  return {
    ...initialParameters(Object.fromEntries(others), key, o.initializerRange, { [WORDS]: o.padTokenId }),
    ...mapParams((shape) => filledWith(shape, 0), Object.fromEntries(norms)),
  }
}

/** Shared inputs of the layers of one type: the rotary tables and the attention bias. */
interface View {
  readonly cosine: Tensor
  readonly sine: Tensor
  readonly bias: Tensor
}

/** The KV cache, and the index to write at. */
interface CacheSlot {
  readonly cache: TextInputs['cache']
  readonly start: Tensor | undefined
}

const norm = (o: Shape, params: Params, name: string, x: Tensor): Tensor => rmsNorm(params, name, x, o.rmsNormEps, 1)

/** Self-attention, `[batch, length, hidden]` → the same shape. */
function attend(o: Shape, params: Params, x: Tensor, view: View, slot: CacheSlot, c: LayerContext): Tensor {
  const at = `${c.at}.self_attn`
  const part = (name: 'q' | 'k' | 'v', heads: number): Tensor =>
    splitHeads(linear(params, `${at}.${name}_proj`, x, { bias: o.attentionBias }), heads) // [batch, heads, length, headDim]
  const turned = (name: 'q' | 'k', y: Tensor): Tensor =>
    rotate(o.headNorms ? norm(o, params, `${at}.${name}_norm`, y) : y, view)
  const cached = (name: string, added: Tensor): Tensor => {
    const all = slot.cache === undefined ? added : writeCache(slot.cache[`${c.index}.${name}`]!, added, slot.start)
    c.updateCache?.(name, all)
    return all // [batch, key heads, length or capacity, headDim]
  }
  const cap = o.scoreCap
  const mixed = attendHeads(
    {
      q: turned('q', part('q', o.numAttentionHeads)),
      k: cached('key', turned('k', part('k', o.numKeyValueHeads))),
      v: cached('value', part('v', o.numKeyValueHeads)),
      bias: view.bias,
    },
    o.attentionDropout,
    modeAt(c.mode, 0),
    {
      scale: o.scale,
      pattern: { causal: o.causal, window: o.slides(c.index) ? o.window : undefined },
      onAttention: c.onAttention,
      ...(cap === null ? {} : { transformScores: (scores) => mul(tanh(mul(scores, 1 / cap)), cap) }),
    },
  )
  return linear(params, `${at}.o_proj`, mergeHeads(mixed), { bias: o.attentionBias })
}

/** Gated feed-forward layer, `[batch, length, hidden]` → the same shape. */
function feedForward(o: Shape, params: Params, at: string, x: Tensor): Tensor {
  const part = (name: string, y: Tensor): Tensor => linear(params, `${at}.mlp.${name}_proj`, y, { bias: false })
  return part('down', mul(activation(o.activation)(part('gate', x)), part('up', x))) // [batch, length, intermediate] within
}

/** One layer, `[batch, length, hidden]` → the same shape. With `sandwich`, each sublayer has a norm before and after it. */
function layer(o: Shape, params: Params, x: Tensor, view: View, slot: CacheSlot, c: LayerContext): Tensor {
  const normed = (name: string, y: Tensor): Tensor => norm(o, params, `${c.at}.${name}_layernorm`, y)
  const seen = attentionBlock(params, `${c.at}.self_attn`, normed('input', x), (y) =>
    attend(o, params, y, view, slot, c),
  )
  const attended = add(x, o.sandwich ? normed('post_attention', seen) : seen)
  const wide = feedForward(o, params, c.at, normed(o.sandwich ? 'pre_feedforward' : 'post_attention', attended))
  return add(attended, o.sandwich ? normed('post_feedforward', wide) : wide)
}

/** Shared inputs of the layers with full attention, then of those with sliding-window attention. */
function views(o: Shape, inputs: TextInputs): readonly Tensor[] {
  const positions = inputs.positionIds ?? defaultPositions(inputs)
  const far = rotaryTables(positions, o.headDim, o.rotary.full)
  const near = o.rotary.sliding === undefined ? far : rotaryTables(positions, o.headDim, o.rotary.sliding)
  const [full, sliding] = [undefined, o.window].map((window) => attentionBias(inputs, { causal: o.causal, window }))
  return [far.cosine, far.sine, full!, near.cosine, near.sine, sliding!]
}

function forward(o: Shape, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const others = [...views(o, inputs), ...(inputs.cacheStart === undefined ? [] : [inputs.cacheStart])]
  // The factor is a float32 number, as in transformers with float32 weights.
  const words = mul(embedding(params, 'model.embed_tokens', inputs.inputIds), Math.sqrt(o.hiddenSize)) // [batch, length, hidden]
  const stack = {
    count: o.numHiddenLayers,
    at: (i: number) => `model.layers.${i}`,
    layer(own: Params, y: Tensor, read: readonly Tensor[], c: LayerContext) {
      const [cosine, sine, bias] = (o.slides(c.index) ? read.slice(3) : read) as [Tensor, Tensor, Tensor]
      return layer(o, own, y, { cosine, sine, bias }, { cache: inputs.cache, start: read[6] }, c)
    },
    finish: (y: Tensor) => norm(o, params, 'model.norm', y),
  }
  const { x, kept } = layerStack(params, words, others, mode, stack, inputs.cache !== undefined)
  return { lastHiddenState: x, pooled: lastToken(x, inputs), ...kept }
}

const GENERATORS = { gemma: 'Gemma', gemma2: 'Gemma2', gemma3_text: 'Gemma3' } as const
const CLASSIFIERS = { ...GENERATORS, gemma3_text: 'Gemma3Text' } as const

const heads = (o: Shape): Model['heads'] => ({
  'sequence-classification': {
    architecture: `${CLASSIFIERS[o.modelType]}ForSequenceClassification`,
    tensors: { 'classifier.weight': 'score.weight' },
  },
  ...(o.causal
    ? {
        'causal-language-modeling': {
          architecture: `${GENERATORS[o.modelType]}ForCausalLM`,
          tensors: o.tieWordEmbeddings ? {} : { weight: 'lm_head.weight' },
          ...(o.logitCap === null ? {} : { softcap: o.logitCap }),
        },
      }
    : {}),
})

/** transformers rejects an integer where it expects a float, and JavaScript serializes 30.0 as 30: the next larger number is saved. */
const asFloat = (x: number | null): number | null => (Number.isInteger(x) ? x! * (1 + Number.EPSILON) : x)

function configOf({ given }: Shape): Record<string, unknown> {
  const [scores, logits] = [asFloat(given.attnLogitSoftcapping), asFloat(given.finalLogitSoftcapping)]
  return configFromOptions({ ...given, attnLogitSoftcapping: scores, finalLogitSoftcapping: logits })
}

function create(given: Options): Model {
  const o = complete(given)
  const cache = (batch: number, capacity: number) =>
    emptyCache(o.numHiddenLayers, [batch, o.numKeyValueHeads, capacity, o.headDim])
  return {
    prefix: 'model.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: 0,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['model.embed_tokens.'] },
      ...layerGroups('layer', o.numHiddenLayers, 'model.layers'),
      { name: 'norm', prefixes: ['model.norm.'] },
    ],
    config: configOf(o),
    init: (key) => init(o, key),
    ...(o.causal ? { cache } : {}),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }
}

/**
 * Gemma: a decoder with rotary position embeddings, RMSNorm with a scale of 1 + weight, word embeddings multiplied by √hidden, and a
 * gated feed-forward layer. Gemma 2 adds a norm after each sublayer, sliding-window attention in every other layer, and soft caps on
 * attention scores and logits. Gemma 3 adds norms of queries and keys, sliding-window attention in five of six layers, and another
 * rotary base in those layers. `pooled` is the hidden state of a text's last token.
 */
export const gemma = definePlugin({
  kind: MODEL,
  name: 'gemma',
  summary: 'Gemma, Gemma 2 and Gemma 3 decoders; compatible with transformers checkpoints',
  source: 'Gemma Team, Gemma 2: Improving Open Language Models at a Practical Size, 2024, section 2',
  options,
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model gemma': typeof gemma
  }
}

export default gemma
