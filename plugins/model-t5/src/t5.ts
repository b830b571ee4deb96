import {
  type EncoderOutputs,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  fold as foldKey,
  mapParams,
} from '@attune/core'
import {
  type LayerContext,
  activation,
  attendHeads,
  attentionBlock,
  attentionBias,
  configFromOptions,
  dropout,
  embedding,
  emptyCache,
  filled,
  fold,
  joinHeads,
  keptInEncoder,
  lastToken,
  layerStack,
  linear,
  madeOnce,
  normal,
  requireRoom,
  paddingBias,
  rmsNorm,
  splitHeads,
  writeCache,
} from '@attune/nn'
import { type Tensor, add, concat, fill, mul, slice } from '@tensorflow/tfjs-core'
import { type Options, type Shape, complete, options } from './options.js'
import { positionBias } from './relative-positions.js'

type Stack = 'encoder' | 'decoder'

/** The shape of every parameter by its name in a checkpoint, and the deviation of its new values; those of norms are 1. */
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

/** Where a stack's first layer holds the bias of positions that all its layers add. */
const tableOf = (stack: Stack): string => `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias`

function init(o: Shape, key: Key): Params {
  const shapes = shapesOf(o)
  requireRoom(mapParams(({ shape }) => shape, shapes))
  const entries = Object.entries(shapes).map(([name, { shape, deviation }]): [string, Tensor] => [
    name,
    deviation === undefined ? filled(shape, 1) : normal(foldKey(key, name), shape, deviation * o.initializerFactor),
  ])
  return Object.fromEntries(entries)
}

/** What an attention layer reads: its queries' states, its keys' where they are others, and the bias; and where keys and values come from. */
interface Attended {
  readonly queries: Tensor
  readonly keys?: Tensor
  readonly bias: Tensor
  readonly held: (name: 'key' | 'value', make: () => Tensor) => Tensor
}

/** Attention under a name, `[batch, queries, dModel]`; scores are not scaled. */
function attend(o: Shape, params: Params, at: string, { queries, keys, bias, held }: Attended, c: LayerContext) {
  const part = (name: string, x: Tensor): Tensor =>
    splitHeads(linear(params, `${at}.${name}`, x, { bias: false }), o.numHeads) // [batch, heads, length, dKv]
  return attentionBlock(params, at, queries, (x) => {
    const [k, v] = [held('key', () => part('k', keys ?? x)), held('value', () => part('v', keys ?? x))]
    const heads = { q: part('q', x), k, v, bias }
    const mixed = attendHeads(heads, o.dropoutRate, c.mode, { scale: 1, record: c.record })
    return linear(params, `${at}.o`, joinHeads(mixed), { bias: false })
  })
}

/** The feed-forward layer under a name, `[batch, length, dModel]` → the same. */
function feedForward(o: Shape, params: Params, at: string, x: Tensor, mode: Mode): Tensor {
  const part = (name: string, y: Tensor): Tensor => linear(params, `${at}.${name}`, y, { bias: false })
  const act = activation(o.activation)
  const wide = o.gated ? mul(act(part('wi_0', x)), part('wi_1', x)) : act(part('wi', x)) // [batch, length, dFf]
  return part('wo', dropout(wide, o.dropoutRate, mode))
}

/** What the layers of a decoder read besides: where each attends to what the encoder gave, and its cache. */
interface Across {
  readonly states: Tensor
  readonly bias: Tensor
  readonly start: Tensor | undefined
  readonly cache: TextInputs['cache']
}

/** One layer, `[batch, length, dModel]` → the same: each part reads a normed copy and adds to what was there. */
function layer(o: Shape, params: Params, x: Tensor, bias: Tensor, across: Across | undefined, c: LayerContext): Tensor {
  const normed = (part: number, y: Tensor): Tensor =>
    rmsNorm(params, `${c.at}.layer.${part}.layer_norm`, y, o.layerNormEpsilon)
  const added = (part: number, y: Tensor, by: Tensor): Tensor =>
    add(y, dropout(by, o.dropoutRate, fold(c.mode, 10 + part)))
  const inner = (part: number): LayerContext => ({ ...c, mode: fold(c.mode, part) })
  const held = (name: string, make: () => Tensor): Tensor => {
    if (across?.cache === undefined) return make()
    const all = writeCache(across.cache[`${c.index}.${name}`]!, make(), across.start!)
    c.remember?.(name, all)
    return all // [batch, heads, capacity, dKv]
  }
  const own = normed(0, x)
  const self = { queries: own, bias, held }
  let y = added(0, x, attend(o, params, `${c.at}.layer.0.SelfAttention`, self, inner(0)))
  if (across !== undefined) {
    const once = (name: string, make: () => Tensor): Tensor => madeOnce(c, across.cache, name, make)
    const other = { queries: normed(1, y), keys: across.states, bias: across.bias, held: once }
    const context = { ...inner(1), record: c.recordAcross }
    y = added(1, y, attend(o, params, `${c.at}.layer.1.EncDecAttention`, other, context))
  }
  const last = across === undefined ? 1 : 2
  const at = `${c.at}.layer.${last}.DenseReluDense`
  return added(last, y, feedForward(o, params, at, normed(last, y), fold(c.mode, last)))
}

/** What a stack reads. */
interface StackInputs {
  readonly ids: Tensor
  /** What is added to scores of its own attention, positions left out. */
  readonly bias: Tensor
  readonly across?: Across
}

/** One of the two stacks: `ids` `[batch, length]` to states `[batch, length, dModel]`. */
function stackOf(o: Shape, params: Params, stack: Stack, { ids, bias, across }: StackInputs, mode: Mode) {
  const buckets = {
    count: o.relativeAttentionNumBuckets,
    maximumDistance: o.relativeAttentionMaxDistance,
    bothWays: stack === 'encoder',
  }
  const size = [ids.shape[1] as number, bias.shape[3] as number] as const
  const places = positionBias(params, tableOf(stack), buckets, size, across?.start)
  const start = across?.start === undefined ? [] : [across.start]
  const others = [add(bias, places), ...(across === undefined ? [] : [across.states, across.bias, ...start])]
  const words = dropout(embedding(params, 'shared', ids), o.dropoutRate, fold(mode, 0)) // [batch, length, dModel]
  const layers = {
    count: stack === 'encoder' ? o.numLayers : o.numDecoderLayers,
    at: (i: number) => `${stack}.block.${i}`,
    layer(own: Params, y: Tensor, [scores, states, padding, slot]: readonly Tensor[], c: LayerContext) {
      const seen = across && { states: states!, bias: padding!, start: slot, cache: across.cache }
      return layer(o, own, y, scores!, seen, c)
    },
    finish: (y: Tensor) =>
      dropout(rmsNorm(params, `${stack}.final_layer_norm`, y, o.layerNormEpsilon), o.dropoutRate, fold(mode, 999)),
  }
  return layerStack(params, words, others, mode, layers, across?.cache !== undefined)
}

/** What the decoder reads; where nothing is said, what the encoder reads, one place later, behind the start token. */
function decoderInputs(o: Shape, { inputIds, attentionMask, ...rest }: TextInputs) {
  const { decoderInputIds, decoderAttentionMask } = rest
  if (decoderInputIds !== undefined)
    return { ids: decoderInputIds, mask: decoderAttentionMask ?? fill([...decoderInputIds.shape], 1, 'int32') }
  const [batch, length] = inputIds.shape as [number, number]
  const later = (x: Tensor, first: number): Tensor =>
    concat([fill([batch, 1], first, 'int32'), slice(x, [0, 0], [-1, length - 1])], 1)
  return { ids: later(inputIds, o.decoderStartTokenId), mask: later(attentionMask, 1) }
}

function forward(o: Shape, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const { attentionMask, encoderStates, cache, cacheStart } = inputs
  const encode = () =>
    stackOf(o, params, 'encoder', { ids: inputs.inputIds, bias: paddingBias(attentionMask) }, fold(mode, 0))
  const { x: states, kept: inEncoder } = encoderStates ? { x: encoderStates, kept: {} } : encode() // [batch, length, dModel]
  const { ids, mask } = decoderInputs(o, inputs)
  const own = {
    inputIds: ids,
    attentionMask: mask,
    tokenTypeIds: ids,
    ...(cache && { cache, cacheStart: cacheStart! }),
  }
  const across = { states, bias: paddingBias(attentionMask), start: cacheStart, cache }
  const given = { ids, bias: attentionBias(own, { causal: true }), across }
  const { x, kept } = stackOf(o, params, 'decoder', given, fold(mode, 1))
  // A classification head reads the state at the last token of the text, which the decoder reads one place later.
  const ends = inputs.decoderInputIds === undefined ? { ...own, attentionMask } : own
  const pooled = lastToken(x, ends)
  return { lastHiddenState: x, pooled, encoderStates: states, ...kept, ...keptInEncoder(inEncoder) }
}

function create(given: Options): Model {
  const o = complete(given)
  const blocks = (stack: Stack, count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `${stack} layer ${i}`, prefixes: [`${stack}.block.${i}.`] }))
  // transformers refuses a whole number as a factor, and JSON does not tell 1.0 from 1; saved weights need none.
  const { modelType, initializerFactor: _, ...config } = given
  return {
    prefix: '',
    wordEmbeddings: 'shared.weight',
    heads: {
      'sequence-to-sequence': {
        architecture: `${o.modelType === 't5' ? '' : 'M'}T5ForConditionalGeneration`,
        parts: o.tied ? {} : { weight: 'lm_head.weight' },
        ...(o.scaled ? { scale: o.dModel ** -0.5 } : {}),
      },
    },
    hiddenSize: o.dModel,
    maximumLength: o.nPositions,
    headDropout: 0,
    initializerRange: o.initializerFactor,
    layers: [
      { name: 'embeddings', prefixes: ['shared.'] },
      ...blocks('encoder', o.numLayers),
      { name: 'encoder norm', prefixes: ['encoder.final_layer_norm.'] },
      ...blocks('decoder', o.numDecoderLayers),
      { name: 'decoder norm', prefixes: ['decoder.final_layer_norm.'] },
    ],
    unpackable: UNPACKABLE,
    config: { model_type: modelType, is_encoder_decoder: true, ...configFromOptions(config) },
    init: (key) => init(o, key),
    cache: (batch, capacity) => emptyCache(o.numDecoderLayers, [batch, o.numHeads, capacity, o.dKv]),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }
}

const UNPACKABLE = 'a row holds one text for the encoder and one for the decoder'

/**
 * T5 and its kin: an encoder reads a text, and a decoder that attends to what it gives writes another. Norms are by the root
 * mean square, without biases anywhere; attention knows places by a bias for the distance, and its scores are not scaled.
 * T5 v1.1, Flan-T5 and mT5 have a gated feed-forward layer and a head of their own. `pooled` is the decoder's state at the
 * last token.
 */
export const t5 = definePlugin({
  kind: MODEL,
  name: 't5',
  summary: 'Encoder–decoder with relative positions: T5, T5 v1.1, Flan-T5, mT5',
  source: 'Raffel et al., Exploring the Limits of Transfer Learning, 2020, section 2.1',
  options,
  exceptions: { packing: UNPACKABLE },
  create,
})
export default t5
