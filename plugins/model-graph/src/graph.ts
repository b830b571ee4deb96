import {
  AttuneError,
  type Key,
  MODEL,
  type Mode,
  type Model,
  type Params,
  type TextInputs,
  definePlugin,
  deriveKey,
  mapParams,
  scheduled,
} from '@attune/core'
import {
  type LayerContext,
  classifierHead,
  countOption as count,
  dropout,
  embedding,
  filledWith,
  modeAt,
  maxPool,
  mergeHeads,
  layerGroups,
  layerStack,
  linear,
  normal,
  parameter,
  requireRepresentableSizes,
  splitHeads,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import type { TokenPair } from '@attune/text'
import {
  type Tensor,
  add,
  cast,
  div,
  elu,
  expandDims,
  leakyRelu,
  less,
  matMul,
  maximum,
  mul,
  relu,
  reshape,
  rsqrt,
  scalar,
  sigmoid,
  slice,
  softmax,
  sub,
  sum,
  tanh,
  transpose,
} from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type PhraseTable, learnPhrases, phraseTable } from './phrases.js'
import { wordGraph } from './word-graph.js'

const isTokenId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) <= 1_000_000
const isPair = (pair: unknown): boolean => Array.isArray(pair) && pair.length === 2 && pair.every(isTokenId)
/** True for a list of pairs of token ids. A single check, because a schema would report each entry of a long malformed list. */
const arePairs = (given: unknown): boolean => Array.isArray(given) && given.length <= 100_000 && given.every(isPair)
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(30522),
    embeddingSize: count('Size of the word embeddings').default(300),
    hiddenSize: count('Hidden size; with gat a multiple of numAttentionHeads').default(96),
    numHiddenLayers: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .describe('Number of layers: the distance in links over which information propagates'),
    layer: z
      .enum(['gcn', 'gat'])
      .default('gat')
      .describe('Layer type: graph attention (gat), or graph convolution weighted by degree (gcn)'),
    numAttentionHeads: count('Attention heads per gat layer').default(8),
    window: z
      .int()
      .min(2)
      .max(1000)
      .default(3)
      .describe('Window size in tokens: words that co-occur in such a window are linked'),
    phraseCount: z
      .int()
      .min(0)
      .max(100_000)
      .default(0)
      .describe('Number of phrases (pairs of adjacent tokens) that are nodes in addition to the words'),
    phraseMinimumCount: z
      .int()
      .min(1)
      .default(5)
      .describe('A phrase must occur in the training examples more often than this'),
    phrases: z
      .custom<TokenPair[]>(arePairs, 'expected a list of at most 100,000 pairs of token ids')
      .optional()
      .describe('Phrases, as pairs of token ids. Default: learned from the training examples'),
    field: z.string().min(1).default('text').meta({ field: 'text' }).describe('Field that phrases are learned from'),
    dropout: scheduled(z.number().min(0).lt(1).default(0.1).describe('Dropout before each layer and before the head')),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.1)
      .describe('Standard deviation of the initialization of word embeddings and of the head'),
    maximumLength: count('Maximum sequence length, in tokens').default(512),
  })
  .refine((o) => o.layer === 'gcn' || o.hiddenSize % o.numAttentionHeads === 0, {
    path: ['hiddenSize'],
    message: 'must be a multiple of numAttentionHeads when layer is "gat"',
  })

type Options = z.output<typeof options>

const WORDS = 'graph.embeddings.word_embeddings.weight'
const PHRASES = 'graph.embeddings.phrase_embeddings.weight'

/** Shape of every parameter, by name; layers are named as in PyTorch Geometric's GCNConv and GATConv. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const layers = Array.from({ length: o.numHiddenLayers }, (_, i) => {
    const [at, head] = [`graph.layers.${i}`, [1, o.numAttentionHeads, o.hiddenSize / o.numAttentionHeads]]
    return {
      [`${at}.lin.weight`]: [o.hiddenSize, i === 0 ? o.embeddingSize : o.hiddenSize],
      ...(o.layer === 'gat' ? { [`${at}.att_src`]: head, [`${at}.att_dst`]: head } : {}),
      [`${at}.bias`]: [o.hiddenSize],
    }
  })
  return {
    [WORDS]: [o.vocabSize, o.embeddingSize],
    ...(o.phrases === undefined || o.phrases.length === 0 ? {} : { [PHRASES]: [o.phrases.length, o.embeddingSize] }),
    ...Object.assign({}, ...layers),
    'graph.readout.gate.weight': [o.hiddenSize, o.hiddenSize],
    'graph.readout.gate.bias': [o.hiddenSize],
    'graph.readout.content.weight': [o.hiddenSize, o.hiddenSize],
    'graph.readout.content.bias': [o.hiddenSize],
  }
}

/** Initial parameters; weights of layers have Glorot variance, `2 / (inputs + outputs)`. */
const init = (o: Options, key: Key): Params =>
  Object.fromEntries(
    Object.entries(requireRepresentableSizes(shapesOf(o))).map(([name, shape]): [string, Tensor] => {
      if (name.endsWith('.bias')) return [name, filledWith(shape, 0)]
      const isTable = name === WORDS || name === PHRASES
      const deviation = isTable ? o.initializerRange : Math.sqrt(2 / (shape.at(-1)! + shape.at(-2)!))
      return [name, normal(deriveKey(key, name), shape, deviation)]
    }),
  )

/**
 * Graph convolution, `D^(−1/2)·Â·D^(−1/2)·X·Wᵀ`, with the links `Â` and their degrees `D`. All positions of a word have the same
 * row, so `D` of a neighbour can be read at its node. Source: Kipf and Welling, 2017, equation 2.
 */
function convolve(products: Tensor, links: Tensor): Tensor {
  // Padding has no links; a word has at least one, to itself.
  const scale = rsqrt(maximum(sum(links, 2, true), 1)) // [batch, length, 1]
  return mul(scale, matMul(links, mul(scale, products)))
}

/**
 * Graph attention with concatenated heads: `α_ij = softmax_j LeakyReLU(a_dst·x_i + a_src·x_j)` over the links of `i`, and
 * `Σ α_ij·x_j`, with `x = W·h` per head. Source: Veličković et al., 2018, equations 3 and 5.
 */
function attend(
  own: Params,
  products: Tensor,
  links: Tensor,
  heads: number,
  { at, onAttention }: LayerContext,
): Tensor {
  const x = splitHeads(products, heads) // [batch, heads, length, size]
  const scores = (name: string): Tensor => {
    const direction = parameter(own, `${at}.${name}`)
    const [, , size] = direction.shape as [number, number, number]
    return sum(mul(x, reshape(direction, [1, heads, 1, size])), 3, true) // [batch, heads, length, 1]
  }
  const to = transpose(scores('att_src'), [0, 1, 3, 2]) // [batch, heads, 1, length]
  const bias = mul(sub(expandDims(links, 1), 1), 1e9)
  const weights = softmax(add(leakyRelu(add(scores('att_dst'), to), 0.2), bias))
  onAttention?.(weights)
  return mergeHeads(matMul(weights, x))
}

/**
 * One layer, `[batch, length, width]` → `[batch, length, hidden]`, with ReLU after a convolution and ELU after attention, as
 * published; 0 where `real` `[batch, length, 1]` is 0.
 */
function graphLayer(o: Options, own: Params, h: Tensor, links: Tensor, real: Tensor, context: LayerContext): Tensor {
  const { at, mode } = context
  const products = linear(own, `${at}.lin`, dropout(h, o.dropout, mode), { bias: false })
  const aggregated =
    o.layer === 'gcn' ? convolve(products, links) : attend(own, products, links, o.numAttentionHeads, context)
  const sums = add(aggregated, parameter(own, `${at}.bias`))
  return mul(o.layer === 'gcn' ? relu(sums) : elu(sums), real)
}

/** The mean plus the maximum of the gated node states: `g = σ(W·h + b) ∘ tanh(V·h + c)`, `[batch, hidden]`. */
function readOut(params: Params, h: Tensor, nodes: Tensor): Tensor {
  const gated = mul(sigmoid(linear(params, 'graph.readout.gate', h)), tanh(linear(params, 'graph.readout.content', h)))
  const present = expandDims(nodes, 2) // [batch, length, 1]
  const mean = div(sum(mul(gated, present), 1), maximum(sum(present, 1), 1))
  return add(mean, maxPool(add(gated, mul(sub(present, 1), 1e9))))
}

/** Embeddings of the word or phrase at each position, `[batch, positions, embedding]`, 0 where there is none. */
function embedded(params: Params, ids: Tensor, present: Tensor, table: PhraseTable | undefined): Tensor {
  const rows = (name: string, at: Tensor): Tensor => embedding(params, name.replace(/\.weight$/, ''), at)
  if (table === undefined) return mul(rows(WORDS, ids), present)
  const known = scalar(parameter(params, WORDS).shape[0] as number, 'int32') // ids of phrases follow those of words
  const isWord = expandDims(cast(less(ids, known), 'float32'), 2) // [batch, positions, 1]
  const words = rows(WORDS, mul(ids, cast(less(ids, known), 'int32')))
  const phrases = rows(PHRASES, maximum(sub(ids, known), scalar(0, 'int32')))
  return mul(add(mul(words, isWord), mul(phrases, sub(1, isWord))), present)
}

function forward(o: Options, table: PhraseTable | undefined, params: Params, inputs: TextInputs, mode: Mode) {
  const length = inputs.inputIds.shape[1] as number
  const { ids, real, nodes, links } = wordGraph(inputs, o.window, table)
  const present = expandDims(cast(real, 'float32'), 2) // [batch, positions, 1]
  const { x, kept } = layerStack(params, embedded(params, ids, present, table), [links, present], modeAt(mode, 0), {
    count: o.numHiddenLayers,
    at: (i) => `graph.layers.${i}`,
    layer: (own, h, [edges, exists], context) => graphLayer(o, own, h, edges!, exists!, context),
  })
  const ofTokens = (states: Tensor): Tensor => (table ? slice(states, [0, 0, 0], [-1, length, -1]) : states)
  return {
    ...kept,
    lastHiddenState: ofTokens(x),
    pooled: readOut(params, x, nodes),
    ...(kept.hiddenStates && { hiddenStates: mapParams(ofTokens, kept.hiddenStates) }),
  }
}

/** Layer groups in order of depth. */
const layersOf = (o: Options): Model['layers'] => [
  { name: 'embeddings', prefixes: ['graph.embeddings.'] },
  ...layerGroups('layer', o.numHiddenLayers, 'graph.layers'),
  { name: 'readout', prefixes: ['graph.readout.'] },
]

/** Rejects phrases that were not learned or are invalid. @throws AttuneError `BAD_OPTIONS` */
function checked(o: Options): Options {
  const wrong =
    o.phrases === undefined
      ? o.phraseCount > 0 && `phraseCount is ${o.phraseCount}, but phrases is missing`
      : new Set(o.phrases.map(String)).size < o.phrases.length
        ? 'phrases contains a duplicate'
        : o.phrases.flat().some((id) => id >= o.vocabSize) && `phrases must be pairs of token ids below ${o.vocabSize}`
  if (wrong === false) return o
  throw new AttuneError(
    'BAD_OPTIONS',
    `model graph: ${wrong}`,
    'Let `fit` learn `phrases` from the training examples, or omit both options.',
  )
}

function create(given: Options): Model {
  const { field: _, phraseCount: _count, phraseMinimumCount: _minimum, ...o } = checked(given)
  const table = given.phrases?.length ? phraseTable(given.phrases, given.vocabSize) : undefined
  return {
    prefix: 'graph.',
    wordEmbeddings: WORDS,
    heads: {
      'sequence-classification': classifierHead('GraphForSequenceClassification'),
    },
    hiddenSize: o.hiddenSize,
    vocabularySize: given.vocabSize,
    maximumLength: o.maximumLength,
    headDropout: o.dropout,
    initializerRange: o.initializerRange,
    layers: layersOf(given),
    config: { model_type: 'graph', ...configFromOptions(o) },
    init: (key) => init(given, key),
    forward: (params, inputs, mode) => forward(given, table, params, inputs, mode),
  }
}

/**
 * Graph neural network over each text: its distinct tokens and, with `phraseCount`, its phrases are the nodes, linked if they
 * co-occur in a window. Layers are graph attention (`gat`) or graph convolutions (`gcn`). `pooled` is the sum of the mean and the
 * maximum of the gated node states; `lastHiddenState` has at each position the state of its word, the same at every occurrence.
 *
 * Near neighbours: TextGCN builds one graph of all texts and cannot process a new one; a transformer links every two positions.
 */
export const graph = definePlugin({
  kind: MODEL,
  name: 'graph',
  summary: 'Graph neural network over the co-occurrence graph of the words and phrases of a text',
  source:
    'Zhang et al., Every Document Owns Its Structure (TextING), 2020, sections 3.1 and 3.3; Kipf and Welling, 2017; Veličković et al., 2018; Giannakopoulos et al., N-Gram Graphs, 2008; Mikolov et al., 2013, section 4',
  options,
  exceptions: { attentions: 'gcn layers have no attention weights; gat layers have them' },
  async fit(o, examples, tokenizer) {
    if (o.phraseCount === 0 || o.phrases !== undefined || tokenizer === undefined) return o
    const counts = { count: o.phraseCount, minimumCount: o.phraseMinimumCount }
    return { ...o, phrases: await learnPhrases(examples(), o.field, counts, tokenizer()) }
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model graph': typeof graph
  }
}

export default graph
