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

const count = (description: string) => z.int().min(1).max(10_000_000).describe(description)
const layers = (description: string) => z.int().min(1).max(1000).default(6).describe(description)

/** The options are the keys of a Marian model's `config.json` in camel case; the defaults are the paper's base model. */
const options = z
  .strictObject({
    modelType: z.literal('marian').default('marian').describe('Model type of checkpoints of this architecture'),
    vocabSize: count('Size of the vocabulary, which both languages share').default(37000),
    decoderVocabSize: count('Vocabulary size of the decoder, which must equal vocabSize').optional(),
    maxPositionEmbeddings: z
      .int()
      .min(1)
      .max(100_000)
      .default(512)
      .describe('Maximum sequence length of encoder and decoder, in tokens'),
    dModel: count('Hidden size; a multiple of both numbers of heads').default(512),
    encoderLayers: layers('Number of encoder layers'),
    encoderFfnDim: count("Intermediate size of the encoder's feed-forward layers").default(2048),
    encoderAttentionHeads: count('Attention heads per encoder layer').default(8),
    decoderLayers: layers('Number of decoder layers'),
    decoderFfnDim: count("Intermediate size of the decoder's feed-forward layers").default(2048),
    decoderAttentionHeads: count('Attention heads per decoder layer').default(8),
    activationFunction: z.enum(activationNames).default('relu').describe('Activation of the feed-forward layers'),
    dropout: scheduled(probability('Dropout on the embeddings and on the output of each sublayer').default(0.1)),
    attentionDropout: scheduled(probability('Dropout on the attention weights').default(0)),
    activationDropout: scheduled(probability('Dropout inside the feed-forward layers').default(0)),
    initStd: z.number().positive().max(10).default(0.02).describe('Standard deviation of the weight initialization'),
    scaleEmbedding: z.boolean().default(true).describe('Multiply word embeddings by √dModel'),
    shareEncoderDecoderEmbeddings: z
      .literal(true)
      .default(true)
      .describe('Encoder and decoder share the word embeddings'),
    tieWordEmbeddings: z.literal(true).default(true).describe('Tie the language-modeling head to the word embeddings'),
    padTokenId: tokenId('Padding token; its embedding is initialized to zero and gets no gradient as input').default(0),
    eosTokenId: endTokensOption().default(1).describe('End-of-sequence token, or several'),
    decoderStartTokenId: tokenId('Token that the decoder starts with').default(0),
  })
  .refine((o) => o.dModel % o.encoderAttentionHeads === 0 && o.dModel % o.decoderAttentionHeads === 0, {
    path: ['dModel'],
    message: 'must be a multiple of encoderAttentionHeads and of decoderAttentionHeads',
  })
  .refine((o) => (o.decoderVocabSize ?? o.vocabSize) === o.vocabSize, {
    path: ['decoderVocabSize'],
    message: 'must equal vocabSize, since the stacks share their embeddings',
  })

type Options = z.output<typeof options>

const WORDS = 'model.shared.weight'

/**
 * Sinusoidal position embeddings for `length` positions, `[length, width]`: `sin(position / 10000^(2i / width))` for each `i` of the first
 * half, then the cosines. The paper interleaves them, which is equivalent up to a permutation of the first layer's weights.
 * Source: Vaswani et al., Attention Is All You Need, 2017, section 3.5.
 */
function sinusoids(length: number, width: number): Tensor {
  const half = Math.ceil(width / 2)
  const values = Float32Array.from({ length: length * width }, (_, at) => {
    const [position, column] = [Math.floor(at / width), at % width]
    const i = column < half ? column : column - half
    const angle = position / 10000 ** ((2 * i) / width)
    return column < half ? Math.sin(angle) : Math.cos(angle)
  })
  return tensor2d(values, [length, width])
}

/** Word embeddings; the padding row gets no gradient here, even as the decoder's first token. */
function wordsOf(o: Options, params: Params, ids: Tensor): Tensor {
  const words = embedding(params, 'model.shared', ids) // [batch, length, dModel]
  const maskOf = (of: Tensor): Tensor => expandDims(cast(of, 'float32'), 2) // [batch, length, 1]
  const padding = mul(stopGradient(words), maskOf(equal(ids, o.padTokenId)))
  return add(mul(words, maskOf(notEqual(ids, o.padTokenId))), padding)
}

/** Sum of scaled word embeddings and positions: `[batch, length]` → `[batch, length, dModel]`. */
function embed(o: Options, params: Params, ids: Tensor, positionIds: Tensor | undefined, mode: Mode): Tensor {
  const words = wordsOf(o, params, ids)
  const scaled = o.scaleEmbedding ? mul(words, Math.sqrt(o.dModel)) : words
  const table = sinusoids(positionIds === undefined ? (ids.shape[1] as number) : o.maxPositionEmbeddings, o.dModel)
  const positions = positionIds === undefined ? table : gather(table, positionIds as Tensor & { dtype: 'int32' })
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
 * The original Transformer: an encoder and a decoder, post-norm, with sinusoidal positions and one embedding table shared by both stacks
 * and the head. Parameters are named as in the Marian models of transformers, which have this architecture. `pooled` is the decoder's
 * hidden state at the last token.
 */
export const transformer = definePlugin({
  kind: MODEL,
  name: 'transformer',
  summary: 'The original Transformer encoder–decoder, as in Marian (OPUS-MT) checkpoints',
  source: 'Vaswani et al., Attention Is All You Need, 2017, section 3',
  options,
  exceptions: { packing: ONE_PAIR_IN_A_ROW },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model transformer': typeof transformer
  }
}

export default transformer
