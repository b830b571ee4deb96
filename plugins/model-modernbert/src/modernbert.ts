import {
  type EncoderOutputs,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
} from '@attune/core'
import {
  type LayerContext,
  activation,
  attendHeads,
  attentionBlock,
  attentionBias,
  classifierHead,
  defaultPositions,
  dropout,
  embedding,
  encoderOutputs,
  firstQuery,
  firstToken,
  modeAt,
  initialParameters,
  mergeHeads,
  layerGroups,
  layerNorm,
  layerStack,
  linear,
  meanPool,
  rotaryTables,
  rotate,
  splitHeads,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, mul, slice } from '@tensorflow/tfjs-core'
import { type Options, options } from './options.js'

const WORDS = 'model.embeddings.tok_embeddings.weight'

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const [H, F] = [o.hiddenSize, o.intermediateSize]
  const dense = (name: string, outputs: number, inputs: number, bias: boolean) => ({
    [`${name}.weight`]: [outputs, inputs],
    ...(bias ? { [`${name}.bias`]: [outputs] } : {}),
  })
  const norm = (name: string) => ({
    [`${name}.weight`]: [H],
    ...(o.normBias ? { [`${name}.bias`]: [H] } : {}),
  })
  const layer = (at: string, index: number) => ({
    ...(index === 0 ? {} : norm(`${at}.attn_norm`)),
    ...dense(`${at}.attn.Wqkv`, 3 * H, H, o.attentionBias),
    ...dense(`${at}.attn.Wo`, H, H, o.attentionBias),
    ...norm(`${at}.mlp_norm`),
    ...dense(`${at}.mlp.Wi`, 2 * F, H, o.mlpBias),
    ...dense(`${at}.mlp.Wo`, H, F, o.mlpBias),
  })
  return {
    [WORDS]: [o.vocabSize, H],
    ...norm('model.embeddings.norm'),
    ...Object.assign({}, ...Array.from({ length: o.numHiddenLayers }, (_, i) => layer(`model.layers.${i}`, i))),
    ...norm('model.final_norm'),
    ...dense('head.dense', H, H, o.classifierBias),
    ...norm('head.norm'),
  }
}

/** Initial parameters; the output projections of the residual stream are divided by √(2 · numHiddenLayers). */
function init(o: Options, key: Key): Params {
  const shapes = Object.entries(shapesOf(o))
  const isOutput = (name: string): boolean => /\.Wo\.weight$|^head\.dense\.weight$/.test(name)
  const initial = (some: typeof shapes, deviation: number): Params =>
    initialParameters(Object.fromEntries(some), key, deviation, { [WORDS]: o.padTokenId })
  return {
    ...initial(
      shapes.filter(([name]) => !isOutput(name)),
      o.initializerRange,
    ),
    ...initial(
      shapes.filter(([name]) => isOutput(name)),
      o.initializerRange / Math.sqrt(2 * o.numHiddenLayers),
    ),
  }
}

/** Shared inputs of the layers of one type: the rotary tables and the attention bias. */
interface View {
  readonly cosine: Tensor
  readonly sine: Tensor
  readonly bias: Tensor
}

const norm = (o: Options, params: Params, name: string, x: Tensor): Tensor =>
  layerNorm(params, name, x, o.normEps, { bias: o.normBias })

/** True for a layer with local (sliding-window) attention. */
const isLocal = (o: Options, index: number): boolean =>
  o.layerTypes === undefined ? index % o.globalAttnEveryNLayers !== 0 : o.layerTypes[index] === 'sliding_attention'

/** Window size of local attention: a token attends to tokens less than this many positions away. */
const windowOf = (o: Options): number => Math.floor(o.localAttention / 2) + 1

/** Self-attention, `[batch, length, hidden]` → the same shape, or `[batch, 1, hidden]` if only the first token is needed. */
function attend(o: Options, params: Params, x: Tensor, view: View, c: LayerContext): Tensor {
  const all = linear(params, `${c.at}.attn.Wqkv`, x, { bias: o.attentionBias }) // [batch, length, 3 · hidden]
  const part = (i: number): Tensor =>
    splitHeads(slice(all, [0, 0, i * o.hiddenSize], [-1, -1, o.hiddenSize]), o.numAttentionHeads)
  const queriesOf = (y: Tensor): Tensor => (c.firstTokenOnly === true ? firstQuery(y) : y)
  const heads = {
    q: queriesOf(rotate(part(0), view)),
    k: rotate(part(1), view),
    v: part(2),
    bias: queriesOf(view.bias),
  }
  const options = { pattern: { window: isLocal(o, c.index) ? windowOf(o) : undefined }, onAttention: c.onAttention }
  const mixed = mergeHeads(attendHeads(heads, o.attentionDropout, modeAt(c.mode, 0), options))
  return linear(params, `${c.at}.attn.Wo`, mixed, { bias: o.attentionBias })
}

/** Gated feed-forward layer, `[batch, length, hidden]` → the same shape. */
function feedForward(o: Options, params: Params, x: Tensor, c: LayerContext): Tensor {
  const both = linear(params, `${c.at}.mlp.Wi`, x, { bias: o.mlpBias }) // [batch, length, 2 · intermediate]
  const half = (i: number): Tensor => slice(both, [0, 0, i * o.intermediateSize], [-1, -1, o.intermediateSize])
  const gated = mul(activation(o.hiddenActivation)(half(0)), half(1)) // [batch, length, intermediate]
  return linear(params, `${c.at}.mlp.Wo`, dropout(gated, o.mlpDropout, modeAt(c.mode, 2)), { bias: o.mlpBias })
}

/** One pre-norm layer, `[batch, length, hidden]` → the same shape. The first layer has no attention norm: embeddings are normalized. */
function layer(o: Options, params: Params, x: Tensor, view: View, c: LayerContext): Tensor {
  const normed = c.index === 0 ? x : norm(o, params, `${c.at}.attn_norm`, x)
  const seen = attentionBlock(params, `${c.at}.attn`, normed, (y) => attend(o, params, y, view, c))
  const attended = add(
    c.firstTokenOnly === true ? firstToken(x) : x,
    dropout(seen, o.attentionDropout, modeAt(c.mode, 1)),
  )
  return add(attended, feedForward(o, params, norm(o, params, `${c.at}.mlp_norm`, attended), c))
}

/** Shared inputs of the layers with global attention, then of those with local attention. */
function views(o: Options, inputs: TextInputs): readonly Tensor[] {
  const positions = inputs.positionIds ?? defaultPositions(inputs)
  const { full_attention: full, sliding_attention: sliding } = o.ropeParameters ?? {}
  const tables = (rotary: object) => rotaryTables(positions, o.hiddenSize / o.numAttentionHeads, rotary)
  const far = tables({ rope_theta: o.globalRopeTheta, ...full })
  const near = tables({ rope_theta: o.localRopeTheta, ...sliding })
  const local = attentionBias(inputs, { window: windowOf(o) })
  return [far.cosine, far.sine, attentionBias(inputs), near.cosine, near.sine, local]
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const words = embedding(params, 'model.embeddings.tok_embeddings', inputs.inputIds) // [batch, length, hidden]
  const embedded = dropout(norm(o, params, 'model.embeddings.norm', words), o.embeddingDropout, modeAt(mode, 0))
  const stacked = layerStack(params, embedded, views(o, inputs), mode, {
    count: o.numHiddenLayers,
    at: (i) => `model.layers.${i}`,
    layer(own, y, read, c) {
      const [cosine, sine, bias] = (isLocal(o, c.index) ? read.slice(3) : read) as [Tensor, Tensor, Tensor]
      return layer(o, own, y, { cosine, sine, bias }, c)
    },
    finish: (y) => norm(o, params, 'model.final_norm', y),
  })
  return encoderOutputs(stacked, ({ x, first }) => {
    const text = o.classifierPooling === 'cls' ? first : meanPool(x, inputs.attentionMask) // [batch, hidden]
    const dense = linear(params, 'head.dense', text, { bias: o.classifierBias })
    return norm(o, params, 'head.norm', activation(o.classifierActivation)(dense))
  })
}

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: 'ModernBertModel', tensors: {} },
  'sequence-classification': classifierHead('ModernBertForSequenceClassification'),
  'multiple-choice': classifierHead('ModernBertForMultipleChoice'),
  'masked-language-modeling': {
    architecture: 'ModernBertForMaskedLM',
    tensors: {
      'dense.weight': 'head.dense.weight',
      ...(o.classifierBias ? { 'dense.bias': 'head.dense.bias' } : {}),
      'norm.weight': 'head.norm.weight',
      ...(o.normBias ? { 'norm.bias': 'head.norm.bias' } : {}),
      ...(o.decoderBias ? { bias: 'decoder.bias' } : {}),
    },
    activation: o.classifierActivation,
    epsilon: o.normEps,
  },
})

/**
 * ModernBERT: an encoder with rotary position embeddings, pre-norm layers, gated feed-forward layers and almost no biases. Every third
 * layer has global attention; the others attend to 64 tokens on either side and have another rotary base. `pooled` is the hidden state
 * of the first token, or the mean over all, after the linear layer, activation and norm of its heads, which the masked-language-modeling
 * head shares.
 */
export const modernbert = definePlugin({
  kind: MODEL,
  name: 'modernbert',
  summary: 'ModernBERT encoder; compatible with transformers checkpoints',
  source: 'Warner et al., Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder, 2024, section 2.1',
  options,
  create: (o): Model => ({
    prefix: 'model.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: o.classifierDropout,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['model.embeddings.'] },
      ...layerGroups('layer', o.numHiddenLayers, 'model.layers'),
      { name: 'norm', prefixes: ['model.final_norm.'] },
      { name: 'pooler', prefixes: ['head.'] },
    ],
    config: { model_type: 'modernbert', ...configFromOptions(o) },
    init: (key) => init(o, key),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model modernbert': typeof modernbert
  }
}

export default modernbert
