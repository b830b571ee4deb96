import {
  type EncoderOutputs,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  scheduled,
} from '@attune/core'
import {
  ONE_PAIR_IN_A_ROW,
  activationNames,
  stopGradient,
  decoderCache,
  dropout,
  embedding,
  encoderDecoder,
  encoderDecoderShapes,
  endTokensOption,
  initialParameters,
  layerGroups,
  probabilityOption as probability,
  stackSizes,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, cast, equal, expandDims, gather, mul, notEqual, tensor2d } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const count = (what: string) => z.int().min(1).max(10_000_000).describe(what)
const layers = (what: string) => z.int().min(1).max(1000).default(6).describe(what)

/** The options are the keys of a Marian model's `config.json` in camel case; the defaults are the paper's base model. */
const options = z
  .strictObject({
    modelType: z.literal('marian').default('marian').describe('What checkpoints of this architecture are called'),
    vocabSize: count('Entries of the vocabulary, which both languages share').default(37000),
    decoderVocabSize: count('The same number, where a file has it').optional(),
    maxPositionEmbeddings: z
      .int()
      .min(1)
      .max(100_000)
      .default(512)
      .describe('The most tokens of a text, read or written'),
    dModel: count('Width of the hidden states; a multiple of both numbers of heads').default(512),
    encoderLayers: layers('Layers of the encoder'),
    encoderFfnDim: count("Width of the encoder's feed-forward layers").default(2048),
    encoderAttentionHeads: count('Attention heads of a layer of the encoder').default(8),
    decoderLayers: layers('Layers of the decoder'),
    decoderFfnDim: count("Width of the decoder's feed-forward layers").default(2048),
    decoderAttentionHeads: count('Attention heads of a layer of the decoder').default(8),
    activationFunction: z.enum(activationNames).default('relu').describe('Activation of the feed-forward layers'),
    dropout: scheduled(probability('Dropout of embeddings and of what each part of a layer adds').default(0.1)),
    attentionDropout: scheduled(probability('Dropout of the attention weights').default(0)),
    activationDropout: scheduled(probability('Dropout inside the feed-forward layers').default(0)),
    initStd: z.number().positive().max(10).default(0.02).describe('Standard deviation of new weights'),
    scaleEmbedding: z.boolean().default(true).describe('Whether embeddings of words are times the root of dModel'),
    shareEncoderDecoderEmbeddings: z.literal(true).default(true).describe('Both stacks have the same word embeddings'),
    tieWordEmbeddings: z.literal(true).default(true).describe('The last layer is the word embeddings once more'),
    padTokenId: tokenId('The token of padding; reading it does not train its embedding, which starts at zero').default(
      0,
    ),
    eosTokenId: endTokensOption().default(1).describe('The token, or tokens, that a text ends with'),
    decoderStartTokenId: tokenId('The token that the decoder begins with').default(0),
  })
  .refine((o) => o.dModel % o.encoderAttentionHeads === 0 && o.dModel % o.decoderAttentionHeads === 0, {
    path: ['dModel'],
    message: 'must be a multiple of encoderAttentionHeads and of decoderAttentionHeads',
  })
  .refine((o) => (o.decoderVocabSize ?? o.vocabSize) === o.vocabSize, {
    path: ['decoderVocabSize'],
    message: 'must be vocabSize, since the stacks share their embeddings',
  })

type Options = z.output<typeof options>

const WORDS = 'model.shared.weight'

/**
 * The sinusoids of positions before `length`, `[length, width]`: `sin(place / 10000^(2i / width))` for each `i` of the first
 * half, then the cosines. The paper lays them alternately, which the first layer cannot tell apart.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.5.
 */
function sinusoids(length: number, width: number): Tensor {
  const half = Math.ceil(width / 2)
  const values = Float32Array.from({ length: length * width }, (_, at) => {
    const [place, column] = [Math.floor(at / width), at % width]
    const i = column < half ? column : column - half
    const angle = place / 10000 ** ((2 * i) / width)
    return column < half ? Math.sin(angle) : Math.cos(angle)
  })
  return tensor2d(values, [length, width])
}

/** Rows of the word embeddings; that of padding learns nothing from where it is read, also as the decoder's first token. */
function wordsOf(o: Options, params: Params, ids: Tensor): Tensor {
  const words = embedding(params, 'model.shared', ids) // [batch, length, dModel]
  const share = (of: Tensor): Tensor => expandDims(cast(of, 'float32'), 2) // [batch, length, 1]
  const padding = mul(stopGradient(words), share(equal(ids, o.padTokenId)))
  return add(mul(words, share(notEqual(ids, o.padTokenId))), padding)
}

/** Words, scaled, and positions: `[batch, length]` → `[batch, length, dModel]`. */
function embed(o: Options, params: Params, ids: Tensor, places: Tensor | undefined, mode: Mode): Tensor {
  const words = wordsOf(o, params, ids)
  const scaled = o.scaleEmbedding ? mul(words, Math.sqrt(o.dModel)) : words
  const table = sinusoids(places === undefined ? (ids.shape[1] as number) : o.maxPositionEmbeddings, o.dModel)
  const positions = places === undefined ? table : gather(table, places as Tensor & { dtype: 'int32' })
  return dropout(add(scaled, positions), o.dropout, mode)
}

const forward = (o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs =>
  encoderDecoder(params, inputs, mode, {
    ...stackSizes(o),
    activation: o.activationFunction,
    dropout: { added: o.dropout, wide: o.activationDropout, attention: o.attentionDropout },
    startTokenId: o.decoderStartTokenId,
    embed: (_side, ...of) => embed(o, params, ...of),
  })

function create(o: Options): Model {
  const { modelType, ...config } = o
  return {
    prefix: 'model.',
    wordEmbeddings: WORDS,
    heads: {
      'sequence-to-sequence': { architecture: 'MarianMTModel', tensors: { fixedBias: 'final_logits_bias' } },
    },
    hiddenSize: o.dModel,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: 0,
    initializerRange: o.initStd,
    layers: [
      { name: 'embeddings', prefixes: ['model.shared.'] },
      ...layerGroups('encoder layer', o.encoderLayers, 'model.encoder.layers'),
      ...layerGroups('decoder layer', o.decoderLayers, 'model.decoder.layers'),
    ],
    unpackable: ONE_PAIR_IN_A_ROW,
    config: { model_type: modelType, is_encoder_decoder: true, ...configFromOptions(config) },
    init(key) {
      const shapes = { [WORDS]: [o.vocabSize, o.dModel], ...encoderDecoderShapes(stackSizes(o), o.dModel) }
      return initialParameters(shapes, key, o.initStd, { [WORDS]: o.padTokenId })
    },
    cache: decoderCache(stackSizes(o).decoder, o.dModel),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }
}

/**
 * The transformer as it was first described: an encoder and a decoder, normalised after each part of a layer, with sinusoids
 * for positions and one table of embeddings for both stacks and the head. Parameters are named as in the Marian models of the
 * Hugging Face library, which are of this architecture. `pooled` is the decoder's state at the last token.
 */
export const transformer = definePlugin({
  kind: MODEL,
  name: 'transformer',
  summary: 'The original encoder–decoder transformer, as in Marian (OPUS-MT) checkpoints',
  source: 'Vaswani et al., Attention Is All You Need, 2017, section 3',
  options,
  exceptions: { packing: ONE_PAIR_IN_A_ROW },
  create,
})
export default transformer
