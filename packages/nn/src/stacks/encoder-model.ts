import { type EncoderOutputs, type LayerGroup, type Mode, type Model, type Params, type TextInputs } from '@attune/core'
import { type Tensor, add } from '@tensorflow/tfjs-core'
import { attentionBias } from '../attention/attention-bias.js'
import { defaultPositions } from '../attention/cache.js'
import { activation } from '../layers/activation.js'
import { dropout, modeAt } from '../layers/dropout.js'
import { embedding } from '../layers/embedding.js'
import { initialParameters } from '../layers/initialise.js'
import { layerNorm } from '../layers/layer-norm.js'
import { linear } from '../layers/linear.js'
import {
  type EncoderLayerNames,
  type EncoderLayerOptions,
  BERT_LAYER,
  encoderLayer,
  encoderLayerShapes,
} from './encoder-layer.js'
import { encoderOutputs, layerStack } from './layer-stack.js'

/** Index of the pooler's dropout among the random streams of a forward pass, after those of all layers. */
const POOLER_STREAM = 998

/** Sizes and rates of a BERT-like encoder, named as in BERT's `config.json`; see {@link encoderOptions}. */
export interface EncoderSizes {
  readonly vocabSize: number
  readonly hiddenSize: number
  /** Width of the embeddings, which are then projected to the hidden size. Default: the hidden size. */
  readonly embeddingSize?: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly intermediateSize: number
  readonly hiddenAct: string
  readonly hiddenDropoutProb: number | Tensor
  readonly attentionProbsDropoutProb: number | Tensor
  readonly maxPositionEmbeddings: number
  /** Number of token types. Default: the model has no token-type embeddings. */
  readonly typeVocabSize?: number
  readonly initializerRange: number
  readonly layerNormEps: number
  readonly padTokenId: number
}

/** Names of a family's parameters in checkpoints, and what differs from BERT. */
export interface EncoderFamily {
  /** Prefix of the encoder's parameters, without the trailing dot, such as `bert`. */
  readonly prefix: string
  /** Names within a layer. Default: BERT's. */
  readonly names?: EncoderLayerNames
  /** Prefix of a layer's parameters, without the trailing dot; layers may share one. Default: `prefix.encoder.layer.index`. */
  readonly layerAt?: (index: number) => string
  /** Dropout of a layer's two sublayers. Default: `hiddenDropoutProb` for both. */
  readonly layerDropout?: EncoderLayerOptions['dropout']
  /** Linear layer from the embeddings to the first layer. Default: none. */
  readonly projection?: string | undefined
  /** Position ids. Default: the columns of the batch. */
  readonly positions?: (inputs: TextInputs) => Tensor
  /** Row of the position embeddings that padding has, which is initialized to zero. Default: none. */
  readonly paddingPosition?: number
  /** Linear layer and activation that compute `pooled` from the first token's state, after `dropout`, by default none. */
  readonly pooler: { readonly layer: string; readonly activation: string; readonly dropout?: number | Tensor }
}

/** Distinct prefixes of the layers, in order of depth. */
const distinctLayers = (count: number, layerAt: (index: number) => string): readonly string[] => [
  ...new Set(Array.from({ length: count }, (_, index) => layerAt(index))),
]

const affine = (name: string, outputs: number, inputs?: number): Record<string, readonly number[]> => ({
  [`${name}.weight`]: inputs === undefined ? [outputs] : [outputs, inputs],
  [`${name}.bias`]: [outputs],
})

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: EncoderSizes, family: EncoderFamily, layers: readonly string[]) {
  const [at, { embeddingSize: width = o.hiddenSize, hiddenSize: hidden }] = [`${family.prefix}.embeddings`, o]
  const { names = BERT_LAYER, projection } = family
  return {
    [`${at}.word_embeddings.weight`]: [o.vocabSize, width],
    [`${at}.position_embeddings.weight`]: [o.maxPositionEmbeddings, width],
    ...(o.typeVocabSize === undefined ? {} : { [`${at}.token_type_embeddings.weight`]: [o.typeVocabSize, width] }),
    ...affine(`${at}.LayerNorm`, width),
    ...(projection === undefined ? {} : affine(projection, hidden, width)),
    ...Object.assign({}, ...layers.map((layer) => encoderLayerShapes(layer, names, hidden, o.intermediateSize))),
    ...affine(family.pooler.layer, hidden, hidden),
  } as Record<string, readonly number[]>
}

/** Sum of word, position and token-type embeddings, normalized and projected: `[batch, length]` to `[batch, length, hidden]`. */
function embed(o: EncoderSizes, family: EncoderFamily, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const [at, { positions = positionsOf, projection }] = [`${family.prefix}.embeddings`, family]
  const words = embedding(params, `${at}.word_embeddings`, inputs.inputIds) // [batch, length, embedding]
  const typed =
    o.typeVocabSize === undefined
      ? words
      : add(words, embedding(params, `${at}.token_type_embeddings`, inputs.tokenTypeIds))
  const placed = add(typed, embedding(params, `${at}.position_embeddings`, positions(inputs)))
  const dropped = dropout(layerNorm(params, `${at}.LayerNorm`, placed, o.layerNormEps), o.hiddenDropoutProb, mode)
  return projection === undefined ? dropped : linear(params, projection, dropped)
}

const positionsOf = (inputs: TextInputs): Tensor => inputs.positionIds ?? defaultPositions(inputs)

/** The forward pass, with the layers at `layerAt`. */
function forwardOf(o: EncoderSizes, family: EncoderFamily, layerAt: (index: number) => string): Model['forward'] {
  const { pooler } = family
  const options: EncoderLayerOptions = {
    names: family.names ?? BERT_LAYER,
    heads: o.numAttentionHeads,
    activation: o.hiddenAct,
    epsilon: o.layerNormEps,
    dropout: family.layerDropout ?? { attended: o.hiddenDropoutProb, narrow: o.hiddenDropoutProb },
    attentionDropout: o.attentionProbsDropoutProb,
  }
  return (params, inputs, mode): EncoderOutputs => {
    const embedded = embed(o, family, params, inputs, modeAt(mode, 0))
    const stacked = layerStack(params, embedded, [attentionBias(inputs)], mode, {
      count: o.numHiddenLayers,
      at: layerAt,
      layer: (own, x, [bias], context) => encoderLayer(own, x, bias!, options, context),
    })
    return encoderOutputs(stacked, ({ first }) => {
      const dropped = dropout(first, pooler.dropout ?? 0, modeAt(mode, POOLER_STREAM))
      return activation(pooler.activation)(linear(params, pooler.layer, dropped))
    })
  }
}

/**
 * BERT-like encoder, as members of a model: learned position embeddings, post-norm layers with bidirectional attention, and `pooled`
 * from the first token's state. A family adds its heads and its `config`. `maximumLength` is `maxPositionEmbeddings`.
 * Source: Devlin et al., BERT, 2019, section 3.
 *
 * @example
 * ```ts
 * import { encoderModel } from '@attune/nn'
 * const sizes = { vocabSize: 100, hiddenSize: 8, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 16, hiddenAct: 'gelu' }
 * const rates = { hiddenDropoutProb: 0.1, attentionProbsDropoutProb: 0.1, initializerRange: 0.02, layerNormEps: 1e-12 }
 * const tables = { maxPositionEmbeddings: 32, typeVocabSize: 2, padTokenId: 0 }
 * const pooler = { layer: 'my.pooler', activation: 'tanh' }
 * const model = encoderModel({ ...sizes, ...rates, ...tables }, { prefix: 'my', pooler })
 * console.log(model.layers.map(({ name }) => name).join()) // embeddings,layer 0,layer 1,pooler
 * ```
 */
export function encoderModel(o: EncoderSizes, family: EncoderFamily) {
  const { prefix, projection, pooler, layerAt = (index) => `${prefix}.encoder.layer.${index}` } = family
  const layers = distinctLayers(o.numHiddenLayers, layerAt)
  const [words, positions] = [
    `${prefix}.embeddings.word_embeddings.weight`,
    `${prefix}.embeddings.position_embeddings.weight`,
  ]
  const paddingRows = { [words]: o.padTokenId, [positions]: family.paddingPosition }
  const input = [`${prefix}.embeddings.`, ...(projection === undefined ? [] : [`${projection}.`])]
  const groups: readonly LayerGroup[] = [
    { name: 'embeddings', prefixes: input },
    ...layers.map((at, index) => ({ name: `layer ${index}`, prefixes: [`${at}.`] })),
    { name: 'pooler', prefixes: [`${pooler.layer}.`] },
  ]
  return {
    prefix: `${prefix}.`,
    wordEmbeddings: words,
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    initializerRange: o.initializerRange,
    layers: groups,
    init: (key) => initialParameters(shapesOf(o, family, layers), key, o.initializerRange, paddingRows),
    forward: forwardOf(o, family, layerAt),
  } satisfies Partial<Model>
}
