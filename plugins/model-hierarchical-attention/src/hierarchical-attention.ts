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
  scheduled,
} from '@attune/core'
import {
  classifierHead,
  countOption as count,
  dropout,
  embedding,
  filledWith,
  modeAt,
  linear,
  normal,
  parameter,
  activationCheckpoint,
  recurrentLayer,
  recurrentShapes,
  requireRepresentableSizes,
  under,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import {
  type Tensor,
  add,
  cast,
  expandDims,
  matMul,
  max,
  mul,
  pad,
  reshape,
  slice,
  softmax,
  sub,
  tanh,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  vocabSize: count('Vocabulary size').default(30522),
  embeddingSize: count('Size of the word embeddings').default(200),
  hiddenSize: z
    .int()
    .min(2)
    .max(1_000_000)
    .multipleOf(2)
    .default(100)
    .describe('Size of word and sentence states, both directions together; even'),
  attentionSize: count('Size of the attention layer').default(100),
  sentenceLength: z
    .int()
    .min(1)
    .max(1000)
    .default(24)
    .describe('Tokens per sentence: a text is split after every so many tokens, regardless of punctuation'),
  dropout: scheduled(
    z.number().min(0).lt(1).default(0.1).describe('Dropout on embeddings and word states, and before the head'),
  ),
  initializerRange: z
    .number()
    .positive()
    .max(10)
    .default(0.1)
    .describe('Standard deviation of the initialization of word embeddings and of the head'),
  maximumLength: count('Maximum sequence length, in tokens').default(512),
})

type Options = z.output<typeof options>

const WORDS = 'hierarchical_attention.embeddings.word_embeddings.weight'
const LEVELS = { words: 'hierarchical_attention.words', sentences: 'hierarchical_attention.sentences' } as const
const GRU = { cell: 'gru', bidirectional: true } as const

/** Shapes of the parameters of one level, by name. */
function levelShapes(o: Options, at: string, inputs: number): Record<string, readonly number[]> {
  return {
    ...recurrentShapes(`${at}.gru`, inputs, o.hiddenSize / 2, GRU),
    [`${at}.attention.weight`]: [o.attentionSize, o.hiddenSize],
    [`${at}.attention.bias`]: [o.attentionSize],
    [`${at}.context`]: [o.attentionSize],
  }
}

/** Initial parameters; recurrent weights have PyTorch's variance, `2 / (3 · hiddenSize)`. */
function init(o: Options, key: Key): Params {
  const shapes = {
    [WORDS]: [o.vocabSize, o.embeddingSize],
    ...levelShapes(o, LEVELS.words, o.embeddingSize),
    ...levelShapes(o, LEVELS.sentences, o.hiddenSize),
  }
  const initial = ([name, shape]: [string, readonly number[]]): [string, Tensor] => {
    if (name.endsWith('.bias')) return [name, filledWith(shape, 0)]
    const standard = name.includes('.gru.') ? Math.sqrt(2 / (3 * o.hiddenSize)) : 1 / Math.sqrt(shape.at(-1)!)
    return [name, normal(deriveKey(key, name), shape, name === WORDS ? o.initializerRange : standard)]
  }
  return Object.fromEntries(Object.entries(requireRepresentableSizes(shapes)).map(initial))
}

/**
 * The states of one level, their attention weights and their weighted sum:
 *
 *     u = tanh(W·h + b),   α = softmax(u · context),   s = Σ α·h
 *
 * Maps `x` `[rows, length, width]` and `mask` `[rows, length]` to `[rows, length, hidden]`, `[rows, length]` and `[rows, hidden]`.
 * The states of a row without tokens are 0, and so is their sum.
 */
function level(o: Options, params: Params, at: string, x: Tensor, mask: Tensor, mode: Mode): [Tensor, Tensor, Tensor] {
  const how: Mode = mode.keep === undefined ? mode : { training: false }
  const read = (own: Params, y: Tensor, m: Tensor): Tensor => recurrentLayer(own, `${at}.gru`, y, m, GRU).states
  const h = dropout(activationCheckpoint(read, under(params, `${at}.gru.`), [x, mask], how), o.dropout, mode)
  const [rows, length, hidden] = h.shape as [number, number, number]
  const u = tanh(linear(params, `${at}.attention`, h)) // [rows, length, attention]
  const context = reshape(parameter(params, `${at}.context`), [-1, 1])
  const scores = reshape(matMul(reshape(u, [-1, o.attentionSize]), context), [rows, length])
  const weights = softmax(add(scores, mul(sub(mask, 1), 1e9)))
  return [h, weights, reshape(matMul(expandDims(weights, 1), h), [rows, hidden])]
}

/** `[batch, length, …]` with zeros appended along the length. */
const padEnd = (x: Tensor, by: number): Tensor =>
  pad(
    x,
    x.shape.map((_, axis): [number, number] => [0, axis === 1 ? by : 0]),
  )

function forward(o: Options, params: Params, { inputIds, attentionMask }: TextInputs, mode: Mode): EncoderOutputs {
  const [batch, length] = inputIds.shape as [number, number]
  const size = Math.min(o.sentenceLength, length)
  const sentences = Math.ceil(length / size)
  const missing = sentences * size - length
  const words = embedding(params, 'hierarchical_attention.embeddings.word_embeddings', inputIds)
  const embedded = dropout(words, o.dropout, modeAt(mode, 0)) // [batch, length, width]
  const sentenceWords = reshape(padEnd(embedded, missing), [batch * sentences, size, o.embeddingSize])
  const mask = reshape(padEnd(cast(attentionMask, 'float32'), missing), [batch * sentences, size])
  const [h, wordWeights, vectors] = level(o, params, LEVELS.words, sentenceWords, mask, modeAt(mode, 1))
  const nonEmpty = reshape(max(mask, 1), [batch, sentences])
  const text = reshape(vectors, [batch, sentences, o.hiddenSize])
  const [, sentenceWeights, pooled] = level(o, params, LEVELS.sentences, text, nonEmpty, modeAt(mode, 2))
  const states = reshape(h, [batch, sentences * size, o.hiddenSize])
  const lastHiddenState = slice(states, [0, 0, 0], [batch, length, o.hiddenSize])
  const attentions = {
    0: reshape(wordWeights, [batch, 1, sentences, size]),
    1: reshape(sentenceWeights, [batch, 1, 1, sentences]),
  }
  return {
    lastHiddenState,
    pooled,
    ...(mode.keep?.includes('hiddenStates') === true ? { hiddenStates: { 0: embedded, 1: lastHiddenState } } : {}),
    ...(mode.keep?.includes('attentions') === true ? { attentions } : {}),
  }
}

const UNPACKABLE = 'a sentence is a window of the row, so texts packed into the row would share sentences'

/**
 * Hierarchical attention network (HAN): a bidirectional GRU encodes the words of a sentence and attention sums them, then the
 * sentences of the text in the same way. A sentence is a window of `sentenceLength` tokens. The `attentions` are the weights of
 * words, `0`: `[batch, 1, sentences, sentenceLength]`, and of sentences, `1`: `[batch, 1, 1, sentences]`. `pooled` is the text vector,
 * `lastHiddenState` the word states.
 */
export const hierarchicalAttention = definePlugin({
  kind: MODEL,
  name: 'hierarchical-attention',
  summary: 'Hierarchical attention network: recurrent encoders with attention over words, then over sentences',
  source: 'Yang et al., Hierarchical Attention Networks for Document Classification, 2016, section 2',
  options,
  exceptions: {
    attentions: 'there are weights of words and of sentences, but hidden states of words only',
    packing: UNPACKABLE,
  },
  create: (o): Model => ({
    prefix: 'hierarchical_attention.',
    wordEmbeddings: WORDS,
    heads: {
      'sequence-classification': classifierHead('HierarchicalAttentionForSequenceClassification'),
    },
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maximumLength,
    headDropout: o.dropout,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['hierarchical_attention.embeddings.'] },
      { name: 'words', prefixes: [`${LEVELS.words}.`] },
      { name: 'sentences', prefixes: [`${LEVELS.sentences}.`] },
    ],
    unpackable: UNPACKABLE,
    config: { model_type: 'hierarchical-attention', ...configFromOptions(o) },
    init: (key) => init(o, key),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model hierarchical-attention': typeof hierarchicalAttention
  }
}

export default hierarchicalAttention
