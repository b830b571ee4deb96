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
  mapParams,
} from '@attune/core'
import {
  type AttentionInputs,
  type EncoderContext,
  type LayerContext,
  ONE_PAIR_IN_A_ROW,
  activation,
  attendProjected,
  attentionBlock,
  crossAttention,
  dropout,
  embedding,
  emptyCache,
  filledWith,
  modeAt,
  layerGroups,
  layerStack,
  linear,
  normal,
  passEncoderDecoder,
  requireRepresentableSizes,
  rmsNorm,
  selfAttention,
  splitHeads,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, mul } from '@tensorflow/tfjs-core'
import { type Options, type Shape, complete, options } from './options.js'
import { positionBias } from './relative-positions.js'

type Stack = 'encoder' | 'decoder'

/** Shape of every parameter, by its name in a checkpoint, and the standard deviation of its initialization; norms are 1. */
function shapesOf(o: Shape): Record<string, { readonly shape: readonly number[]; readonly deviation?: number }> {
  const [D, I, F] = [o.dModel, o.numHeads * o.dKv, o.dFf]
  const norm = (name: string) => ({ [`${name}.weight`]: { shape: [D] } })
  const dense = (name: string, outputs: number, inputs: number, deviation = inputs ** -0.5) => ({
    [`${name}.weight`]: { shape: [outputs, inputs], deviation },
  })
  const attention = (at: string, name: string) => ({
    ...dense(`${at}.${name}.q`, I, D, (D * o.dKv) ** -0.5),
    ...dense(`${at}.${name}.k`, I, D),
    ...dense(`${at}.${name}.v`, I, D),
    ...dense(`${at}.${name}.o`, D, I),
    ...norm(`${at}.layer_norm`),
  })
  const feedForward = (at: string) => ({
    ...(o.gated
      ? { ...dense(`${at}.DenseReluDense.wi_0`, F, D), ...dense(`${at}.DenseReluDense.wi_1`, F, D) }
      : dense(`${at}.DenseReluDense.wi`, F, D)),
    ...dense(`${at}.DenseReluDense.wo`, D, F),
    ...norm(`${at}.layer_norm`),
  })
  const layer = (stack: Stack, at: string) => ({
    ...attention(`${at}.layer.0`, 'SelfAttention'),
    ...(stack === 'decoder' ? attention(`${at}.layer.1`, 'EncDecAttention') : {}),
    ...feedForward(`${at}.layer.${stack === 'decoder' ? 2 : 1}`),
  })
  const stackOf = (stack: Stack, layers: number) => ({
    ...dense(tableOf(stack), o.relativeAttentionNumBuckets, o.numHeads, D ** -0.5),
    ...Object.assign({}, ...Array.from({ length: layers }, (_, i) => layer(stack, `${stack}.block.${i}`))),
    ...norm(`${stack}.final_layer_norm`),
  })
  return {
    'shared.weight': { shape: [o.vocabSize, D], deviation: 1 },
    ...stackOf('encoder', o.numLayers),
    ...stackOf('decoder', o.numDecoderLayers),
  }
}

/** Name of the relative position bias, which the first layer of a stack holds and all its layers add. */
const tableOf = (stack: Stack): string => `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias`

function init(o: Shape, key: Key): Params {
  const shapes = shapesOf(o)
  requireRepresentableSizes(mapParams(({ shape }) => shape, shapes))
  const entries = Object.entries(shapes).map(([name, { shape, deviation }]): [string, Tensor] => [
    name,
    deviation === undefined
      ? filledWith(shape, 1)
      : normal(deriveKey(key, name), shape, deviation * o.initializerFactor),
  ])
  return Object.fromEntries(entries)
}

/** Attention with the weights under a name, `[batch, queries, dModel]`; scores are not scaled. */
function attend(o: Shape, params: Params, at: string, inputs: AttentionInputs, c: LayerContext) {
  const project = (part: string, x: Tensor): Tensor =>
    splitHeads(linear(params, `${at}.${part}`, x, { bias: false }), o.numHeads) // [batch, heads, length, dKv]
  return attentionBlock(params, at, inputs.queries, (queries) => {
    const mixed = attendProjected({ ...inputs, queries }, project, o.dropoutRate, c.mode, {
      scale: 1,
      onAttention: c.onAttention,
    })
    return linear(params, `${at}.o`, mixed, { bias: false })
  })
}

/** Feed-forward layer with the weights under a name, `[batch, length, dModel]` → the same shape. */
function feedForward(o: Shape, params: Params, at: string, x: Tensor, mode: Mode): Tensor {
  const part = (name: string, y: Tensor): Tensor => linear(params, `${at}.${name}`, y, { bias: false })
  const act = activation(o.activation)
  const wide = o.gated ? mul(act(part('wi_0', x)), part('wi_1', x)) : act(part('wi', x)) // [batch, length, dFf]
  return part('wo', dropout(wide, o.dropoutRate, mode))
}

/** One pre-norm layer with residual connections, `[batch, length, dModel]` → the same shape. */
function layer(
  o: Shape,
  params: Params,
  x: Tensor,
  bias: Tensor,
  context: EncoderContext | undefined,
  c: LayerContext,
): Tensor {
  const normed = (part: number, y: Tensor): Tensor =>
    rmsNorm(params, `${c.at}.layer.${part}.layer_norm`, y, o.layerNormEpsilon)
  const added = (part: number, y: Tensor, by: Tensor): Tensor =>
    add(y, dropout(by, o.dropoutRate, modeAt(c.mode, 10 + part)))
  const inner = (part: number): LayerContext => ({ ...c, mode: modeAt(c.mode, part) })
  const self = selfAttention(normed(0, x), bias, context, c)
  let y = added(0, x, attend(o, params, `${c.at}.layer.0.SelfAttention`, self, inner(0)))
  if (context !== undefined) {
    const cross = crossAttention(normed(1, y), context, c)
    const seen = { ...inner(1), onAttention: c.onCrossAttention }
    y = added(1, y, attend(o, params, `${c.at}.layer.1.EncDecAttention`, cross, seen))
  }
  const last = context === undefined ? 1 : 2
  const at = `${c.at}.layer.${last}.DenseReluDense`
  return added(last, y, feedForward(o, params, at, normed(last, y), modeAt(c.mode, last)))
}

/** Inputs of a stack. */
interface StackInputs {
  readonly ids: Tensor
  /** Bias of the self-attention scores, without the relative position bias. */
  readonly bias: Tensor
  readonly context?: EncoderContext
}

/** The encoder or the decoder: `ids` `[batch, length]` to hidden states `[batch, length, dModel]`. */
function stackOf(o: Shape, params: Params, stack: Stack, { ids, bias, context }: StackInputs, mode: Mode) {
  const buckets = {
    count: o.relativeAttentionNumBuckets,
    maximumDistance: o.relativeAttentionMaxDistance,
    bothWays: stack === 'encoder',
  }
  const size = [ids.shape[1] as number, bias.shape[3] as number] as const
  const positions = positionBias(params, tableOf(stack), buckets, size, context?.start)
  const start = context?.start === undefined ? [] : [context.start]
  const others = [add(bias, positions), ...(context === undefined ? [] : [context.states, context.bias, ...start])]
  const words = dropout(embedding(params, 'shared', ids), o.dropoutRate, modeAt(mode, 0)) // [batch, length, dModel]
  const layers = {
    count: stack === 'encoder' ? o.numLayers : o.numDecoderLayers,
    at: (i: number) => `${stack}.block.${i}`,
    layer(own: Params, y: Tensor, [scores, states, padding, slot]: readonly Tensor[], c: LayerContext) {
      const seen = context && { states: states!, bias: padding!, start: slot, cache: context.cache }
      return layer(o, own, y, scores!, seen, c)
    },
    finish: (y: Tensor) =>
      dropout(rmsNorm(params, `${stack}.final_layer_norm`, y, o.layerNormEpsilon), o.dropoutRate, modeAt(mode, 999)),
  }
  return layerStack(params, words, others, mode, layers, context?.cache !== undefined)
}

const forward = (o: Shape, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs =>
  passEncoderDecoder(inputs, mode, {
    startTokenId: o.decoderStartTokenId,
    encode: (bias, reading) => stackOf(o, params, 'encoder', { ids: inputs.inputIds, bias }, reading),
    decode: ({ inputIds: ids }, bias, context, writing) =>
      stackOf(o, params, 'decoder', { ids, bias, context }, writing),
  })

function create(given: Options): Model {
  const o = complete(given)
  // transformers rejects an integer as factor, and JSON does not distinguish 1.0 from 1; saved weights need no factor.
  const { modelType, initializerFactor: _, ...config } = given
  return {
    prefix: '',
    wordEmbeddings: 'shared.weight',
    heads: {
      'sequence-to-sequence': {
        architecture: `${o.modelType === 't5' ? '' : 'M'}T5ForConditionalGeneration`,
        tensors: o.tied ? {} : { weight: 'lm_head.weight' },
        ...(o.scaled ? { scale: o.dModel ** -0.5 } : {}),
      },
    },
    hiddenSize: o.dModel,
    vocabularySize: o.vocabSize,
    maximumLength: o.nPositions,
    headDropout: 0,
    initializerRange: o.initializerFactor,
    layers: [
      { name: 'embeddings', prefixes: ['shared.'] },
      ...layerGroups('encoder layer', o.numLayers, 'encoder.block'),
      { name: 'encoder norm', prefixes: ['encoder.final_layer_norm.'] },
      ...layerGroups('decoder layer', o.numDecoderLayers, 'decoder.block'),
      { name: 'decoder norm', prefixes: ['decoder.final_layer_norm.'] },
    ],
    unpackable: ONE_PAIR_IN_A_ROW,
    config: {
      model_type: modelType,
      is_encoder_decoder: true,
      ...configFromOptions({ ...config, numDecoderLayers: o.numDecoderLayers }), // which transformers.js requires
    },
    init: (key) => init(o, key),
    cache: (batch, capacity) => emptyCache(o.numDecoderLayers, [batch, o.numHeads, capacity, o.dKv]),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }
}

/**
 * The T5 family: a bidirectional encoder and an autoregressive decoder with cross-attention. RMSNorm, no biases in linear layers, a
 * relative position bias in attention, and unscaled attention scores. T5 v1.1, Flan-T5 and mT5 have a gated feed-forward layer and an
 * untied head. `pooled` is the decoder's hidden state at the last token.
 */
export const t5 = definePlugin({
  kind: MODEL,
  name: 't5',
  summary: 'Encoder–decoder with relative position biases: T5, T5 v1.1, Flan-T5, mT5',
  source: 'Raffel et al., Exploring the Limits of Transfer Learning, 2020, section 2.1',
  options,
  exceptions: { packing: ONE_PAIR_IN_A_ROW },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model t5': typeof t5
  }
}

export default t5
