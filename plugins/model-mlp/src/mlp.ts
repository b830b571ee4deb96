import {
  AttuneError,
  ENCODER,
  type EncoderOutputs,
  type Example,
  type FrozenEncoder,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  type Tokenizer,
  definePlugin,
  deriveKey,
  scheduled,
} from '@attune/core'
import {
  activation,
  activationNames,
  classifierHead,
  countOption as count,
  dropout,
  embedding,
  filledWith,
  modeAt,
  linear,
  meanPool,
  normal,
  parameter,
  requireRepresentableSizes,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import {
  type Tensor,
  add,
  cast,
  div,
  equal,
  expandDims,
  gather,
  log,
  matMul,
  maximum,
  mul,
  reshape,
  sqrt,
  square,
  sum,
  tensor1d,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { documentCounter } from './inverse-document-frequencies.js'
import { readEncoder } from './read-encoder.js'

export { inverseDocumentFrequencies } from './inverse-document-frequencies.js'

const options = z.strictObject({
  vocabSize: count('Vocabulary size').default(30522),
  input: z
    .enum(['mean', 'pooled', 'tf-idf'])
    .default('mean')
    .describe(
      "Input of the first layer: the mean of the word embeddings or of an encoder's last hidden states, an encoder's pooled text vector, or tf-idf weights",
    ),
  embeddingSize: count('Size of the word embeddings, for the mean; an encoder has its own').default(300),
  idf: z
    .array(z.number().min(0))
    .max(1_000_000)
    .optional()
    .describe(
      'For tf-idf: the inverse document frequency of each token, not trained. Default: learned from the training examples',
    ),
  field: z.string().min(1).default('text').meta({ field: 'text' }).describe('Field that idf is learned from'),
  sublinearTf: z
    .boolean()
    .default(false)
    .describe('For tf-idf: count a token that occurs n times as 1 + ln n instead of n (sublinear scaling)'),
  hiddenSizes: z
    .array(z.int().min(1).max(1_000_000))
    .min(1)
    .max(1000)
    .default([768, 128])
    .describe('Sizes of the hidden layers; the head reads the last'),
  hiddenAct: z.enum(activationNames).default('relu').describe('Activation of each hidden layer'),
  dropout: scheduled(
    z.number().min(0).lt(1).default(0.1).describe('Dropout on the output of each hidden layer, including the last'),
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

/** Learns the document frequencies of the examples. @throws AttuneError `NO_TEXT` if none has a text. */
async function learnIdf(field: string, examples: AsyncIterable<Example>, { encode, vocabularySize }: Tokenizer) {
  const counter = documentCounter(vocabularySize)
  for await (const { [field]: text } of examples)
    if (typeof text === 'string') counter.add(encode(text, { addSpecialTokens: false }).ids)
  if (counter.texts() > 0) return [...counter.frequencies()]
  throw new AttuneError(
    'NO_TEXT',
    `model mlp: expected texts in the field "${field}" of the training examples to learn idf from, found none`,
    'Set the field that holds the text: `model: { use: mlp, field: … }`.',
  )
}

const refuse = (problem: string, remedy: string): AttuneError =>
  new AttuneError('BAD_OPTIONS', `model mlp: ${problem}`, remedy)

/** Rejects contradictory options, and replaces sizes by those of the encoder. */
function checked(o: Options, encoders: readonly Model[]): Options {
  const [encoder, ...others] = encoders
  if (others.length > 0) throw refuse(`expected one encoder, got ${encoders.length}`, 'Configure only one.')
  if (encoder !== undefined && o.input === 'tf-idf')
    throw refuse(
      'expected input "mean" or "pooled" with an encoder, got "tf-idf"',
      'Remove the encoder, or change input.',
    )
  if (encoder === undefined && o.input === 'pooled')
    throw refuse(
      'input "pooled" requires an encoder',
      'Configure one: `model: { use: mlp, input: pooled, encoder: { use: bert, from: FOLDER } }`.',
    )
  if (o.input === 'tf-idf' && o.idf?.length !== o.vocabSize)
    throw refuse(
      `expected idf to have one value for each of the ${o.vocabSize} tokens with input "tf-idf", got ${o.idf?.length ?? 'none'}`,
      'Pass the result of inverseDocumentFrequencies, or let `fit` learn idf from the training examples.',
    )
  if (encoder === undefined) return o
  const maximumLength = Math.min(o.maximumLength, encoder.maximumLength)
  const vocabSize = encoder.vocabularySize ?? o.vocabSize
  return { ...o, vocabSize, embeddingSize: encoder.hiddenSize, maximumLength }
}

/** The frozen encoder, if there is one. */
const frozenEncoderOf = (o: Options, [model]: readonly Model[]): FrozenEncoder | undefined =>
  model && { model, prefix: ENCODER_PREFIX, reads: o.input === 'pooled' ? 'pooled' : 'lastHiddenState' }

const WORDS = 'mlp.embeddings.word_embeddings.weight'
const BIAS = 'mlp.embeddings.bias'
const ENCODER_PREFIX = 'mlp.encoder.'

/** Sizes of the consecutive layers after the embeddings; with tf-idf the embedding table is the first layer. */
const widthsOf = (o: Options): readonly number[] =>
  o.input === 'tf-idf' ? o.hiddenSizes : [o.embeddingSize, ...o.hiddenSizes]

/** Initial parameters; weights of a layer have variance `2 / inputs`, which keeps the scale of activations constant with depth. */
function init(o: Options, inside: FrozenEncoder | undefined, key: Key): Params {
  const widths = widthsOf(o)
  const first = widths[0]!
  const between = widths.slice(1).map((width, i) => [`layer ${i}`, [width, widths[i]!]] as const)
  requireRepresentableSizes({
    [WORDS]: [inside === undefined ? o.vocabSize : 0, first],
    ...Object.fromEntries(between),
  })
  const layers = widths.slice(1).flatMap((width, i): [string, Tensor][] => {
    const [name, inputs] = [`mlp.layers.${i}`, widths[i]!]
    const weight = normal(deriveKey(key, `${name}.weight`), [width, inputs], Math.sqrt(2 / inputs))
    return [
      [`${name}.weight`, weight],
      [`${name}.bias`, filledWith([width], 0)],
    ]
  })
  const words = (): Params => ({
    [WORDS]: normal(deriveKey(key, WORDS), [o.vocabSize, first], o.initializerRange),
    ...(o.input === 'tf-idf' ? { [BIAS]: filledWith([first], 0) } : {}),
  })
  const encoder = Object.entries(inside?.model.init(deriveKey(key, 'encoder')) ?? {})
  const below =
    inside === undefined ? words() : Object.fromEntries(encoder.map(([name, t]) => [ENCODER_PREFIX + name, t]))
  return { ...below, ...Object.fromEntries(layers) }
}

/**
 * Tf-idf weight of each token, divided among its positions, `[batch, length]`; over the vocabulary, the weights of a text have length
 * 1. No vector of the size of the vocabulary is materialized.
 */
function tfIdf(o: Options, ids: Tensor, mask: Tensor): Tensor {
  const same = mul(cast(equal(expandDims(ids, 2), expandDims(ids, 1)), 'float32'), expandDims(mask, 1))
  const counts = maximum(sum(same, 2), 1) // [batch, length]
  const frequency = o.sublinearTf ? add(1, log(counts)) : counts
  const idf = gather(tensor1d(Float32Array.from(o.idf!)), ids as Tensor & { dtype: 'int32' })
  const weights = mul(mul(frequency, idf), mask)
  const squares = sum(div(square(weights), counts), 1, true) // [batch, 1]
  // A text whose tokens all have weight 0 cannot be normalized: it stays 0.
  return div(div(weights, counts), sqrt(maximum(squares, 1e-20)))
}

/** The hidden layers on `x` `[…, width]`: their input, then the output of each, without dropout. */
function perceptron(o: Options, params: Params, x: Tensor, mode: Mode): readonly Tensor[] {
  const act = activation(o.hiddenAct)
  const states = [o.input === 'tf-idf' ? act(add(x, parameter(params, BIAS))) : x]
  for (let i = 0; i < widthsOf(o).length - 1; i++) {
    const before = states[i]!
    // The input vector, a mean or an encoder's output, has no dropout.
    const read = i === 0 && o.input !== 'tf-idf' ? before : dropout(before, o.dropout, modeAt(mode, i))
    states.push(act(linear(params, `mlp.layers.${i}`, read)))
  }
  return states
}

/** The vector of each text, `[batch, width]`, and of its tokens, `[batch, length, width]`. */
function vectorsOf(o: Options, inside: FrozenEncoder | undefined, params: Params, inputs: TextInputs) {
  if (inside !== undefined) return readEncoder(inside, params, inputs)
  const words = embedding(params, 'mlp.embeddings.word_embeddings', inputs.inputIds)
  if (o.input === 'mean') return { words, text: meanPool(words, inputs.attentionMask) }
  const [batch, , width] = words.shape as [number, number, number]
  const weights = tfIdf(o, inputs.inputIds, cast(inputs.attentionMask, 'float32'))
  return { words, text: reshape(matMul(expandDims(weights, 1), words), [batch, width]) }
}

function forward(
  o: Options,
  inside: FrozenEncoder | undefined,
  params: Params,
  inputs: TextInputs,
  mode: Mode,
): EncoderOutputs {
  const { words, text } = vectorsOf(o, inside, params, inputs)
  const tokens = perceptron(o, params, words, modeAt(mode, 1))
  return {
    lastHiddenState: tokens.at(-1)!,
    pooled: perceptron(o, params, text, modeAt(mode, 0)).at(-1)!,
    ...(mode.keep?.includes('hiddenStates') === true
      ? { hiddenStates: Object.fromEntries([words, ...tokens.slice(o.input === 'tf-idf' ? 0 : 1)].entries()) }
      : {}),
  }
}

/** Layer groups in order of depth. */
const layersOf = (o: Options, inside: FrozenEncoder | undefined): Model['layers'] => [
  inside === undefined
    ? { name: 'embeddings', prefixes: ['mlp.embeddings.'] }
    : { name: 'encoder', prefixes: [ENCODER_PREFIX] },
  ...widthsOf(o)
    .slice(1)
    .map((_, i) => ({ name: `layer ${i}`, prefixes: [`mlp.layers.${i}.`] })),
]

const HEADS: Model['heads'] = {
  'sequence-classification': classifierHead('MlpForSequenceClassification'),
}

function create(given: Options, encoders: readonly Model[]): Model {
  const o = checked(given, encoders)
  const inside = frozenEncoderOf(o, encoders)
  const { field: _, ...saved } = o
  return {
    prefix: 'mlp.',
    wordEmbeddings: inside === undefined ? WORDS : ENCODER_PREFIX + inside.model.wordEmbeddings,
    heads: HEADS,
    hiddenSize: o.hiddenSizes.at(-1)!,
    vocabularySize: o.vocabSize,
    maximumLength: o.maximumLength,
    headDropout: o.dropout,
    initializerRange: o.initializerRange,
    layers: layersOf(o, inside),
    ...(inside === undefined ? {} : { encoder: inside }),
    config: {
      model_type: 'mlp',
      ...configFromOptions(saved),
      ...(inside === undefined ? {} : { encoder: inside.model.config }),
    },
    init: (key) => init(o, inside, key),
    forward: (params, inputs, mode) => forward(o, inside, params, inputs, mode),
  }
}

/**
 * Multilayer perceptron: `h ← activation(W·h + b)`, on the mean of the word embeddings, on the output of a frozen encoder, or on tf-idf
 * weights, for which the first `W` is the embedding table. `pooled` is the last hidden layer. `lastHiddenState` has, for each token,
 * the output for that token alone.
 *
 * Near neighbours: fastText has no hidden layer; a transformer models word order.
 */
export const mlp = definePlugin({
  kind: MODEL,
  name: 'mlp',
  summary: 'Multilayer perceptron on mean word embeddings, a frozen encoder or tf-idf weights',
  source: 'Iyyer et al., Deep Unordered Composition Rivals Syntactic Methods for Text Classification, 2015, section 3',
  options,
  needs: { encoders: ENCODER },
  exceptions: { attentions: 'there is no attention between tokens' },
  fit: async (o, examples, tokenizer) =>
    o.input === 'tf-idf' && o.idf === undefined && tokenizer !== undefined
      ? { ...o, idf: await learnIdf(o.field, examples(), tokenizer()) }
      : o,
  create: (o, { encoders }) => create(o, encoders),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model mlp': typeof mlp
  }
}

export default mlp
