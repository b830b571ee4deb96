import {
  AttuneError,
  type EncoderOutputs,
  type Example,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  type Tokenizer,
  definePlugin,
  fold as foldSeed,
} from '@attune/core'
import {
  activation,
  activationNames,
  configFromOptions,
  dropout,
  embedding,
  filled,
  fold,
  linear,
  normal,
  parameter,
  requireRoom,
} from '@attune/nn'
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
import { inverseDocumentFrequencies } from './inverse-document-frequencies.js'

export { inverseDocumentFrequencies } from './inverse-document-frequencies.js'

const count = (what: string) => z.int().min(1).max(1_000_000).describe(what)

const options = z.strictObject({
  vocabSize: count('Entries of the vocabulary').default(30522),
  input: z
    .enum(['mean', 'tf-idf'])
    .default('mean')
    .describe('What the first layer reads: the mean of the word embeddings, or a tf-idf weight for each token'),
  embeddingSize: count('Width of the word embeddings, for the mean').default(300),
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
  dropout: z.number().min(0).lt(1).default(0.1).describe('Dropout of what each hidden layer gives, to the head too'),
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
  const rows: (readonly number[])[] = []
  for await (const { [field]: text } of examples)
    if (typeof text === 'string') rows.push([...new Set(encode(text, { addSpecialTokens: false }).ids)])
  if (rows.length > 0) return [...inverseDocumentFrequencies(rows, vocabularySize)]
  throw new AttuneError(
    'NO_TEXT',
    `model mlp: the training examples have no text under "${field}" to learn idf from`,
    'Name the field that holds the text: `model: { use: mlp, field: … }`.',
  )
}

function checked(o: Options): Options {
  if (o.input === 'mean' || o.idf?.length === o.vocabSize) return o
  throw new AttuneError(
    'BAD_OPTIONS',
    `model mlp: idf must have one number for each of the ${o.vocabSize} tokens when input is "tf-idf", and has ${o.idf?.length ?? 'none'}`,
    'Give the numbers that inverseDocumentFrequencies counts, or let `fit` learn them from the training examples.',
  )
}

const WORDS = 'mlp.embeddings.word_embeddings.weight'
const BIAS = 'mlp.embeddings.bias'

/** The widths that the layers after the embeddings go through; on tf-idf the table of embeddings is the first layer. */
const widthsOf = (o: Options): readonly number[] =>
  o.input === 'mean' ? [o.embeddingSize, ...o.hiddenSizes] : o.hiddenSizes

/** New parameters; a layer's weights have variance `2 / inputs`, so that depth neither fades nor swells what passes. */
function init(o: Options, key: Key): Params {
  const widths = widthsOf(o)
  const first = widths[0]!
  const between = widths.slice(1).map((width, i) => [`layer ${i}`, [width, widths[i]!]] as const)
  requireRoom({ [WORDS]: [o.vocabSize, first], ...Object.fromEntries(between) })
  const layers = widths.slice(1).flatMap((width, i): [string, Tensor][] => {
    const [name, inputs] = [`mlp.layers.${i}`, widths[i]!]
    const weight = normal(foldSeed(key, `${name}.weight`), [width, inputs], Math.sqrt(2 / inputs))
    return [
      [`${name}.weight`, weight],
      [`${name}.bias`, filled([width], 0)],
    ]
  })
  return {
    [WORDS]: normal(foldSeed(key, WORDS), [o.vocabSize, first], o.initializerRange),
    ...(o.input === 'tf-idf' ? { [BIAS]: filled([first], 0) } : {}),
    ...Object.fromEntries(layers),
  }
}

/** Each token's share of the mean: `[batch, length]`, rows sum to 1. */
const shares = (mask: Tensor): Tensor => div(mask, maximum(sum(mask, 1, true), 1))

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
  const states = [o.input === 'mean' ? x : act(add(x, parameter(params, BIAS)))]
  for (let i = 0; i < widthsOf(o).length - 1; i++) {
    const before = states[i]!
    // The mean is not the output of a layer.
    const read = i === 0 && o.input === 'mean' ? before : dropout(before, o.dropout, fold(mode, i))
    states.push(act(linear(params, `mlp.layers.${i}`, read)))
  }
  return states
}

function forward(o: Options, params: Params, { inputIds, attentionMask }: TextInputs, mode: Mode): EncoderOutputs {
  const words = embedding(params, 'mlp.embeddings.word_embeddings', inputIds) // [batch, length, width]
  const [batch, , width] = words.shape as [number, number, number]
  const mask = cast(attentionMask, 'float32')
  const weights = o.input === 'mean' ? shares(mask) : tfIdf(o, inputIds, mask)
  const text = reshape(matMul(expandDims(weights, 1), words), [batch, width])
  const tokens = perceptron(o, params, words, fold(mode, 1))
  return {
    lastHiddenState: tokens.at(-1)!,
    pooled: perceptron(o, params, text, fold(mode, 0)).at(-1)!,
    ...(mode.keep?.includes('hiddenStates') === true
      ? { hiddenStates: Object.fromEntries([words, ...tokens.slice(o.input === 'mean' ? 1 : 0)].entries()) }
      : {}),
  }
}

/** The groups in depth order. */
const layersOf = (o: Options): Model['layers'] => [
  { name: 'embeddings', prefixes: ['mlp.embeddings.'] },
  ...widthsOf(o)
    .slice(1)
    .map((_, i) => ({ name: `layer ${i}`, prefixes: [`mlp.layers.${i}.`] })),
]

/**
 * A multilayer perceptron on a bag of tokens: `h ← activation(W·h + b)`, from the mean of the word embeddings or from the
 * tf-idf weights, whose first `W` is the table of word embeddings. `pooled` is the last hidden layer. `lastHiddenState` is,
 * for each token, what a text of that token alone would give.
 *
 * Near neighbours: fastText has no hidden layer; a transformer sees the order of words.
 */
export const mlp = definePlugin({
  kind: MODEL,
  name: 'mlp',
  summary: 'Multilayer perceptron on the mean of word embeddings or on tf-idf weights of tokens',
  source: 'Iyyer et al., Deep Unordered Composition Rivals Syntactic Methods for Text Classification, 2015, section 3',
  options,
  exceptions: { attentions: 'no token looks at another' },
  fit: async (o, examples, tokenizer) =>
    o.input === 'tf-idf' && o.idf === undefined && tokenizer !== undefined
      ? { ...o, idf: await learnIdf(o.field, examples(), tokenizer()) }
      : o,
  create: (given): Model => {
    const o = checked(given)
    const { field: _, ...saved } = o
    return {
      prefix: 'mlp.',
      wordEmbeddings: WORDS,
      heads: {
        'sequence-classification': {
          architecture: 'MlpForSequenceClassification',
          parts: { 'classifier.weight': 'classifier.weight', 'classifier.bias': 'classifier.bias' },
        },
      },
      hiddenSize: o.hiddenSizes.at(-1)!,
      maximumLength: o.maximumLength,
      headDropout: o.dropout,
      initializerRange: o.initializerRange,
      layers: layersOf(o),
      config: { model_type: 'mlp', ...configFromOptions(saved) },
      init: (key) => init(o, key),
      forward: (params, inputs, mode) => forward(o, params, inputs, mode),
    }
  },
})
export default mlp
