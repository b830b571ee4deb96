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
  deriveKey as foldSeed,
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
  meanState,
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
  vocabSize: count('Entries of the vocabulary').default(30522),
  input: z
    .enum(['mean', 'pooled', 'tf-idf'])
    .default('mean')
    .describe(
      "What the first layer reads: the mean of the word embeddings or of an encoder's last states, an encoder's vector of the text, or a tf-idf weight for each token",
    ),
  embeddingSize: count('Width of the word embeddings, for the mean; that of an encoder if there is one').default(300),
  idf: z
    .array(z.number().min(0))
    .max(1_000_000)
    .optional()
    .describe(
      'For tf-idf: the inverse document frequency of each token, not trained; learned from the training examples if absent',
    ),
  field: z.string().min(1).default('text').describe('The field of the examples that idf is learned from'),
  sublinearTf: z
    .boolean()
    .default(false)
    .describe('For tf-idf: whether a token that stands n times counts 1 + ln n rather than n'),
  hiddenSizes: z
    .array(z.int().min(1).max(1_000_000))
    .min(1)
    .max(1000)
    .default([768, 128])
    .describe('Widths of the hidden layers; the head reads the last'),
  hiddenAct: z.enum(activationNames).default('relu').describe('Activation of each hidden layer'),
  dropout: scheduled(
    z.number().min(0).lt(1).default(0.1).describe('Dropout of what each hidden layer gives, to the head too'),
  ),
  initializerRange: z
    .number()
    .positive()
    .max(10)
    .default(0.1)
    .describe("Standard deviation of new word embeddings and of a head's weights"),
  maximumLength: count('The most tokens of a text').default(512),
})

type Options = z.output<typeof options>

/** Counts in how many of the examples each token stands. @throws AttuneError `NO_TEXT` if none has a text. */
async function learnIdf(field: string, examples: AsyncIterable<Example>, { encode, vocabularySize }: Tokenizer) {
  const counter = documentCounter(vocabularySize)
  for await (const { [field]: text } of examples)
    if (typeof text === 'string') counter.add(encode(text, { addSpecialTokens: false }).ids)
  if (counter.texts() > 0) return [...counter.frequencies()]
  throw new AttuneError(
    'NO_TEXT',
    `model mlp: the training examples have no text under "${field}" to learn idf from`,
    'Name the field that holds the text: `model: { use: mlp, field: … }`.',
  )
}

const refuse = (problem: string, remedy: string): AttuneError =>
  new AttuneError('BAD_OPTIONS', `model mlp: ${problem}`, remedy)

/** Refuses options that contradict one another, and takes the sizes that an encoder has. */
function checked(o: Options, encoders: readonly Model[]): Options {
  const [encoder, ...others] = encoders
  if (others.length > 0) throw refuse(`it reads one encoder, and ${encoders.length} are given`, 'Give one.')
  if (encoder !== undefined && o.input === 'tf-idf')
    throw refuse('with an encoder, input must be "mean" or "pooled", not "tf-idf"', 'Leave one of the two out.')
  if (encoder === undefined && o.input === 'pooled')
    throw refuse(
      'input is "pooled", which an encoder gives, and there is none',
      'Name one: `model: { use: mlp, input: pooled, encoder: { use: bert, from: FOLDER } }`.',
    )
  if (o.input === 'tf-idf' && o.idf?.length !== o.vocabSize)
    throw refuse(
      `idf must have one number for each of the ${o.vocabSize} tokens when input is "tf-idf", and has ${o.idf?.length ?? 'none'}`,
      'Give the numbers that inverseDocumentFrequencies counts, or let `fit` learn them from the training examples.',
    )
  if (encoder === undefined) return o
  const maximumLength = Math.min(o.maximumLength, encoder.maximumLength)
  const vocabSize = encoder.vocabularySize ?? o.vocabSize
  return { ...o, vocabSize, embeddingSize: encoder.hiddenSize, maximumLength }
}

/** The model inside, if one is given. */
const insideOf = (o: Options, [model]: readonly Model[]): FrozenEncoder | undefined =>
  model && { model, prefix: INSIDE, reads: o.input === 'pooled' ? 'pooled' : 'lastHiddenState' }

const WORDS = 'mlp.embeddings.word_embeddings.weight'
const BIAS = 'mlp.embeddings.bias'
const INSIDE = 'mlp.encoder.'

/** The widths that the layers after the embeddings go through; on tf-idf the table of embeddings is the first layer. */
const widthsOf = (o: Options): readonly number[] =>
  o.input === 'tf-idf' ? o.hiddenSizes : [o.embeddingSize, ...o.hiddenSizes]

/** New parameters; a layer's weights have variance `2 / inputs`, so that depth neither fades nor swells what passes. */
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
    const weight = normal(foldSeed(key, `${name}.weight`), [width, inputs], Math.sqrt(2 / inputs))
    return [
      [`${name}.weight`, weight],
      [`${name}.bias`, filledWith([width], 0)],
    ]
  })
  const words = (): Params => ({
    [WORDS]: normal(foldSeed(key, WORDS), [o.vocabSize, first], o.initializerRange),
    ...(o.input === 'tf-idf' ? { [BIAS]: filledWith([first], 0) } : {}),
  })
  const encoder = Object.entries(inside?.model.init(foldSeed(key, 'encoder')) ?? {})
  const below = inside === undefined ? words() : Object.fromEntries(encoder.map(([name, t]) => [INSIDE + name, t]))
  return { ...below, ...Object.fromEntries(layers) }
}

/**
 * The tf-idf weight of each token, divided among the places where it stands, `[batch, length]`; over the vocabulary the weights
 * of a text have length 1. No vector over the vocabulary is made.
 */
function tfIdf(o: Options, ids: Tensor, mask: Tensor): Tensor {
  const same = mul(cast(equal(expandDims(ids, 2), expandDims(ids, 1)), 'float32'), expandDims(mask, 1))
  const counts = maximum(sum(same, 2), 1) // [batch, length]
  const frequency = o.sublinearTf ? add(1, log(counts)) : counts
  const idf = gather(tensor1d(Float32Array.from(o.idf!)), ids as Tensor & { dtype: 'int32' })
  const weights = mul(mul(frequency, idf), mask)
  const squares = sum(div(square(weights), counts), 1, true) // [batch, 1]
  // A text of tokens that all weigh 0 has no direction: it stays 0.
  return div(div(weights, counts), sqrt(maximum(squares, 1e-20)))
}

/** The hidden layers on `x` `[…, width]`: what enters, then what each gives, without dropout. */
function perceptron(o: Options, params: Params, x: Tensor, mode: Mode): readonly Tensor[] {
  const act = activation(o.hiddenAct)
  const states = [o.input === 'tf-idf' ? act(add(x, parameter(params, BIAS))) : x]
  for (let i = 0; i < widthsOf(o).length - 1; i++) {
    const before = states[i]!
    // A mean or an encoder's vector is not the output of a layer.
    const read = i === 0 && o.input !== 'tf-idf' ? before : dropout(before, o.dropout, modeAt(mode, i))
    states.push(act(linear(params, `mlp.layers.${i}`, read)))
  }
  return states
}

/** The vector of each text, `[batch, width]`, and those of its tokens, `[batch, length, width]`. */
function vectorsOf(o: Options, inside: FrozenEncoder | undefined, params: Params, inputs: TextInputs) {
  if (inside !== undefined) return readEncoder(inside, params, inputs)
  const words = embedding(params, 'mlp.embeddings.word_embeddings', inputs.inputIds)
  if (o.input === 'mean') return { words, text: meanState(words, inputs.attentionMask) }
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

/** The groups in depth order. */
const layersOf = (o: Options, inside: FrozenEncoder | undefined): Model['layers'] => [
  inside === undefined
    ? { name: 'embeddings', prefixes: ['mlp.embeddings.'] }
    : { name: 'encoder', prefixes: [INSIDE] },
  ...widthsOf(o)
    .slice(1)
    .map((_, i) => ({ name: `layer ${i}`, prefixes: [`mlp.layers.${i}.`] })),
]

const HEADS: Model['heads'] = {
  'sequence-classification': classifierHead('MlpForSequenceClassification'),
}

function create(given: Options, encoders: readonly Model[]): Model {
  const o = checked(given, encoders)
  const inside = insideOf(o, encoders)
  const { field: _, ...saved } = o
  return {
    prefix: 'mlp.',
    wordEmbeddings: inside === undefined ? WORDS : INSIDE + inside.model.wordEmbeddings,
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
 * A multilayer perceptron: `h ← activation(W·h + b)`, from the mean of the word embeddings, from what a frozen encoder says of a text, or from
 * the tf-idf weights, whose first `W` is the table of word embeddings. `pooled` is the last hidden layer. `lastHiddenState`
 * has, for each token, what the layers make of that token's vector alone.
 *
 * Near neighbours: fastText has no hidden layer; a transformer sees the order of words.
 */
export const mlp = definePlugin({
  kind: MODEL,
  name: 'mlp',
  summary: 'Multilayer perceptron on the mean of word embeddings, on a frozen encoder or on tf-idf weights of tokens',
  source: 'Iyyer et al., Deep Unordered Composition Rivals Syntactic Methods for Text Classification, 2015, section 3',
  options,
  needs: { encoders: ENCODER },
  exceptions: { attentions: 'no token looks at another' },
  fit: async (o, examples, tokenizer) =>
    o.input === 'tf-idf' && o.idf === undefined && tokenizer !== undefined
      ? { ...o, idf: await learnIdf(o.field, examples(), tokenizer()) }
      : o,
  create: (o, { encoders }) => create(o, encoders),
})
export default mlp
