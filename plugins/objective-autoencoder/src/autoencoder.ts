import {
  AttuneError,
  type Batch,
  type Encoded,
  type Example,
  type HostArray,
  LOSS,
  type LossTerm,
  MODEL,
  type Mode,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  type Params,
  TOKENIZER,
  type Tokenizer,
  type Tree,
  definePlugin,
} from '@attune/core'
import {
  type TextArrays,
  attentionMask,
  deleteUnits,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  padTo,
  paddedLength,
  paddedTexts,
  textOf,
  wordUnits,
} from '@attune/data'
import {
  VECTOR_DECODER,
  type RowLosses,
  type VectorDecoderSize,
  vectorDecoderShapes,
  vectorDecoderStates,
  type TokenLosses,
  headFor,
  initialParameters,
  lossOf,
  parameter,
  sentenceEncoder,
  sentenceFiles,
  sentenceModel,
  sentenceOptions,
  tokenLosses,
} from '@attune/nn'
import { type Tensor, add, matMul, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Token ids of a text; `isDecoded` if its loss is computed. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly isDecoded: boolean
}

/** Tokens that the decoder reads and predicts, int32 `[batch, length]`; `weights` (float32) are 0 for padding. */
interface Reconstructed extends Record<string, HostArray> {
  readonly ids: HostArray
  readonly attentionMask: HostArray
  readonly targets: HostArray
  readonly weights: HostArray
}

/** `inputs` are those of the encoder, `[batch, length]`, corrupted in training. */
interface TextBatch extends Batch {
  readonly inputs: TextArrays
  readonly decoder?: Reconstructed
}

/** Vectors of texts, `[batch, hidden]`, and the losses and argmax tokens of their reconstruction, if it is computed. */
interface Outputs extends Record<string, Tree> {
  readonly vectors: Tensor
  readonly losses?: Tensor
  readonly best?: Tensor
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  noiseFraction: z
    .number()
    .min(0)
    .lt(1)
    .default(0.6)
    .describe('Fraction of the tokens to delete, in whole words. 0: an autoencoder without noise'),
  decoderLayers: z.int().min(1).max(100).default(1).describe('Number of layers of the decoder'),
  decoderHeads: z
    .int()
    .min(1)
    .optional()
    .describe('Attention heads of the decoder, a divisor of the hidden size. Default: one for each 64 values'),
  pooling: sentenceOptions.pooling.describe(
    "Pooling of the last hidden states into the text embedding, or the input of the model's classification head (pooled). Default: that of the saved model, otherwise cls",
  ),
  normalize: sentenceOptions.normalize.describe(
    'Normalize embeddings to length 1. Default: as the saved model, otherwise false',
  ),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
  sentenceTransformers: sentenceOptions.sentenceTransformers,
})

type Options = z.output<typeof options>

/** Sizes of the decoder. @throws AttuneError `BAD_OPTIONS`, `NO_SUCH_HEAD` */
function sizeOf(o: Options, model: Model, vocabulary: number, vectors: number, length: number): VectorDecoderSize {
  const { hiddenSize: hidden } = model
  const heads = o.decoderHeads ?? (hidden % 64 === 0 ? hidden / 64 : 1)
  if (hidden % heads !== 0)
    throw new AttuneError(
      'BAD_OPTIONS',
      `objective autoencoder: expected decoderHeads to divide the hidden size ${hidden}, got ${heads}`,
      'Set `decoderHeads` to a divisor of the hidden size.',
    )
  const { width = hidden } = model.heads['masked-language-modeling'] ?? {}
  if (width !== hidden)
    throw new AttuneError(
      'NO_SUCH_HEAD',
      `objective autoencoder: expected word embeddings of the hidden size ${hidden}, got ${width} (models of type "${String(model.config['model_type'])}")`,
      'Use a model whose word embeddings have its hidden size, such as bert, roberta, distilbert or modernbert.',
    )
  return { layers: o.decoderLayers, heads, hidden, width: vectors, vocabulary, length }
}

/** Deletes words at random, but never the special tokens. */
function deletion({ noiseFraction: fraction }: Options, tokenizer: Tokenizer) {
  const unitsOf = wordUnits(tokenizer, true)
  return ({ ids, typeIds }: Item, random: () => number) => {
    const units = unitsOf(ids)
    const count = units.flat().length
    const budget = Math.min(Math.round(count * fraction), count - 1)
    const kept = budget < 1 ? ids : deleteUnits(ids, units, budget, random)
    return { ids: kept, typeIds: typeIds.slice(0, kept.length) }
  }
}

/** Arrays of the decoder: it reads each token of the whole text but the last, and predicts the next one. */
function reconstructed(items: readonly Item[], pad: number, multiple: number, maximum: number): Reconstructed {
  const read = items.map(({ ids }) => ids.slice(0, -1))
  const length = paddedLength(Math.max(1, ...read.map((ids) => ids.length)), multiple, maximum)
  const mask = attentionMask(read, length)
  return {
    ids: padTo(read, length, pad),
    attentionMask: mask,
    targets: padTo(
      items.map(({ ids }) => ids.slice(1)),
      length,
      pad,
    ),
    weights: { ...mask, dtype: 'float32', values: Float32Array.from(mask.values) },
  }
}

/** Collates texts, corrupted in training; with the arrays of the decoder if all of them are decoded. */
const collation = (o: Options, tokenizer: Tokenizer, maximumLength: number): Objective<Item, TextBatch>['collate'] => {
  const corrupted = deletion(o, tokenizer)
  const lengths = [tokenizer.special.pad ?? 0, o.padToMultipleOf, maximumLength] as const
  return (items, random) => {
    const read = random === undefined ? items : items.map((item) => corrupted(item, random))
    const inputs = paddedTexts(read, ...lengths)
    if (!items.every(({ isDecoded }) => isDecoded)) return { inputs }
    return { inputs, decoder: reconstructed(items, ...lengths) }
  }
}

/** Losses and argmax tokens of the decoder, whose output embeddings are the word embeddings of the encoder. */
const reconstruction =
  (size: VectorDecoderSize, model: Model, ofRows: RowLosses) =>
  (params: Params, vectors: Tensor, decoder: OnDevice<Reconstructed>, mode: Mode): TokenLosses => {
    const { ids, attentionMask: mask, targets } = decoder
    const words = model.wordEmbeddings.replace(/\.weight$/, '')
    const read = { ids, attentionMask: mask, vectors, words }
    const states = vectorDecoderStates(params, read, { ...size, rate: model.headDropout }, mode)
    const bias = parameter(params, `${VECTOR_DECODER}.predictions.bias`)
    const logitsOf = (x: Tensor): Tensor => add(matMul(x, parameter(params, model.wordEmbeddings), false, true), bias) // [tokens, vocabulary]
    return tokenLosses(logitsOf, { states, targets, vocabulary: size.vocabulary, lossOf: ofRows, mode })
  }

/** Embedding of each text, and the predicted tokens of a text that was decoded. */
function predictions(
  { vectors, best }: { readonly vectors: HostArray; readonly best?: HostArray },
  items: readonly Item[],
  words: (ids: readonly number[]) => readonly string[],
  dimension = vectors.shape[1]!,
) {
  const row = ({ values, shape }: HostArray, at: number, count: number): number[] =>
    Array.from(values.subarray(at * shape[1]!, at * shape[1]! + count), Number)
  return items.map(({ ids }, i) => ({
    embedding: row(vectors, i, Math.min(dimension, vectors.shape[1]!)),
    ...(best === undefined ? {} : { tokens: words(row(best, i, ids.length - 1)) }),
  }))
}

/** The encoder with the settings of the saved model, or without any those of the paper, and the lengths of its texts. */
function encoderOf(o: Options, model: Model, tokenizer: Tokenizer) {
  const saved = o.sentenceTransformers
  const { pooling = 'cls', normalize = false } = o
  const sentence = sentenceModel(saved, saved === undefined ? { pooling, normalize } : o, model)
  const limits = lengthsFor({ ...o, maximumLength: o.maximumLength ?? sentence.maximumLength }, model)
  return { sentence, limits, encoder: sentenceEncoder(sentence, model, tokenizer, limits) }
}

function create(
  o: Options,
  { model, tokenizer, losses: terms = [] }: { model: Model; tokenizer: Tokenizer; losses?: readonly LossTerm[] },
): Objective<Item, TextBatch, Outputs> {
  const { architecture } = headFor(model, 'contrastive')
  const { sentence, limits, encoder } = encoderOf(o, model, tokenizer)
  const { maximumLength } = limits
  const size = sizeOf(o, model, model.vocabularySize ?? tokenizer.vocabularySize, encoder.width, maximumLength)
  const reconstruct = reconstruction(size, model, lossOf(terms, 'labels'))
  const words = (ids: readonly number[]): readonly string[] => ids.map((id) => tokenizer.token(id) ?? '')
  const encode = (example: Example, isDecoded: boolean): Item => {
    const { ids, typeIds, truncated } = encoder.encode(textOf(example, o.text))
    return { ids, typeIds, truncated, length: ids.length, isDecoded }
  }
  return {
    views: ['tokens'],
    config: { architectures: [architecture] },
    files: { ...sentenceFiles(sentence, maximumLength), [`${VECTOR_DECODER}/config.json`]: size },
    maximumLength,
    init: (key) => ({
      ...encoder.init(key),
      ...initialParameters(vectorDecoderShapes(size), key, model.initializerRange),
    }),
    encode: (example) => encode(example, true),
    encodeUnlabelled: (example) => encode(example, false),
    collate: collation(o, tokenizer, maximumLength),
    head(params, outputs, mode, { inputs, decoder }: OnDevice<TextBatch>) {
      const vectors = encoder.vectors(params, outputs, inputs.attentionMask)
      return decoder === undefined ? { vectors } : { vectors, ...reconstruct(params, vectors, decoder, mode) }
    },
    loss({ vectors, losses }, { decoder }) {
      if (losses !== undefined) return { losses, weights: decoder!.weights }
      return { losses: zeros([vectors.shape[0]!]), weights: zeros([vectors.shape[0]!]) }
    },
    predict: (outputs, items) => predictions(outputs, items, words, sentence.dimension),
    reference: ({ ids }) => ({ tokens: words(ids.slice(1)) }),
  }
}

/**
 * Denoising autoencoder of texts (TSDAE): words of a text are deleted, the encoder makes one vector of the rest, and a decoder predicts the
 * whole text from this vector and the preceding tokens. The vector must therefore hold the meaning of the text. Needs no labels or pairs.
 *
 * Differs from the paper: the decoder has its own layers (one by default), and shares only the word embeddings with the encoder. A text is not
 * corrupted in evaluation. Near neighbour: `denoising` trains an encoder–decoder that reads all tokens, and makes no text embedding.
 */
export const autoencoder = definePlugin({
  kind: OBJECTIVE,
  name: 'autoencoder',
  summary: 'Denoising autoencoder (TSDAE): sentence embeddings from unlabelled texts',
  source:
    'Wang, Reimers and Gurevych, TSDAE: Using Transformer-based Sequential Denoising Auto-Encoder for Unsupervised Sentence Embedding Learning, 2021, section 3',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective autoencoder': typeof autoencoder
  }
}

export default autoencoder
