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
  type EncoderLayerNames,
  type EncoderLayerOptions,
  activationNames,
  attentionBias,
  classifierHead,
  countOption as count,
  defaultPositions,
  dropout,
  embedding,
  encoderLayer,
  encoderLayerShapes,
  encoderOutputs,
  modeAt,
  initialParameters,
  layerNorm,
  layerStack,
  linear,
  probabilityOption as probability,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, tanh } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(30000),
    embeddingSize: count('Embedding size, before the projection to the hidden size').default(128),
    hiddenSize: count('Hidden size; a multiple of numAttentionHeads').default(4096),
    numHiddenLayers: z.int().min(1).max(1000).default(12).describe('Number of layers, each an application of a group'),
    numHiddenGroups: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Number of layer groups; the layers of a group share their weights'),
    innerGroupNum: z.int().min(1).max(100).default(1).describe('Number of inner layers per group'),
    numAttentionHeads: count('Attention heads per layer').default(64),
    intermediateSize: count('Intermediate size: width of the feed-forward layer').default(16384),
    hiddenAct: z.enum(activationNames).default('gelu_new').describe('Activation of the feed-forward layer'),
    hiddenDropoutProb: scheduled(probability('Dropout on the embeddings and on the attention output').default(0)),
    attentionProbsDropoutProb: scheduled(probability('Dropout on the attention weights').default(0)),
    classifierDropoutProb: scheduled(probability('Dropout before the head').default(0.1)),
    maxPositionEmbeddings: count('Maximum sequence length, in tokens').default(512),
    typeVocabSize: count('Number of token types (segments)').default(2),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    layerNormEps: z.number().positive().max(1).default(1e-12).describe('Epsilon of the layer norms'),
    padTokenId: z.int().min(0).default(0).describe('Padding token; its embedding is initialized to zero'),
  })
  .refine((o) => o.hiddenSize % o.numAttentionHeads === 0, {
    path: ['hiddenSize'],
    message: 'must be a multiple of numAttentionHeads',
  })
  .refine((o) => o.numHiddenLayers % o.numHiddenGroups === 0, {
    path: ['numHiddenLayers'],
    message: 'must be a multiple of numHiddenGroups',
  })

type Options = z.output<typeof options>

const WORDS = 'albert.embeddings.word_embeddings.weight'

const NAMES: EncoderLayerNames = {
  block: 'attention',
  query: 'attention.query',
  key: 'attention.key',
  value: 'attention.value',
  attentionOutput: 'attention.dense',
  attentionNorm: 'attention.LayerNorm',
  intermediate: 'ffn',
  output: 'ffn_output',
  norm: 'full_layer_layer_norm',
}

/** Name prefix of the weights of a layer; layers of the same group share them. */
function layerPrefix(o: Options, index: number): string {
  const group = Math.floor(Math.floor(index / o.innerGroupNum) / (o.numHiddenLayers / o.numHiddenGroups))
  return `albert.encoder.albert_layer_groups.${group}.albert_layers.${index % o.innerGroupNum}`
}

/** Prefixes of all distinct layers, in order of depth. */
const layerPrefixes = (o: Options): readonly string[] => [
  ...new Set(Array.from({ length: o.numHiddenLayers * o.innerGroupNum }, (_, i) => layerPrefix(o, i))),
]

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const [E, H] = [o.embeddingSize, o.hiddenSize]
  return {
    [WORDS]: [o.vocabSize, E],
    'albert.embeddings.position_embeddings.weight': [o.maxPositionEmbeddings, E],
    'albert.embeddings.token_type_embeddings.weight': [o.typeVocabSize, E],
    'albert.embeddings.LayerNorm.weight': [E],
    'albert.embeddings.LayerNorm.bias': [E],
    'albert.encoder.embedding_hidden_mapping_in.weight': [H, E],
    'albert.encoder.embedding_hidden_mapping_in.bias': [H],
    ...Object.assign({}, ...layerPrefixes(o).map((at) => encoderLayerShapes(at, NAMES, H, o.intermediateSize))),
    'albert.pooler.weight': [H, H],
    'albert.pooler.bias': [H],
  }
}

/** Sum of word, position and token-type embeddings, normalized and projected: `[batch, length]` → `[batch, length, hidden]`. */
function embed(o: Options, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const words = embedding(params, 'albert.embeddings.word_embeddings', inputs.inputIds) // [batch, length, embedding]
  const types = embedding(params, 'albert.embeddings.token_type_embeddings', inputs.tokenTypeIds)
  const ids = inputs.positionIds ?? defaultPositions(inputs)
  const positions = embedding(params, 'albert.embeddings.position_embeddings', ids)
  const sum = layerNorm(params, 'albert.embeddings.LayerNorm', add(add(words, types), positions), o.layerNormEps)
  return linear(params, 'albert.encoder.embedding_hidden_mapping_in', dropout(sum, o.hiddenDropoutProb, mode))
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const layer: EncoderLayerOptions = {
    names: NAMES,
    heads: o.numAttentionHeads,
    activation: o.hiddenAct,
    epsilon: o.layerNormEps,
    dropout: { attended: o.hiddenDropoutProb, narrow: 0 },
    attentionDropout: o.attentionProbsDropoutProb,
  }
  const stacked = layerStack(params, embed(o, params, inputs, modeAt(mode, 0)), [attentionBias(inputs)], mode, {
    count: o.numHiddenLayers * o.innerGroupNum,
    at: (i) => layerPrefix(o, i),
    layer: (own, y, [bias], context) => encoderLayer(own, y, bias!, layer, context),
  })
  return encoderOutputs(stacked, ({ first }) => tanh(linear(params, 'albert.pooler', first)))
}

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: 'AlbertModel', tensors: {} },
  'sequence-classification': classifierHead('AlbertForSequenceClassification'),
  'token-classification': classifierHead('AlbertForTokenClassification'),
  'span-extraction': classifierHead('AlbertForQuestionAnswering', 'qa_outputs'),
  'multiple-choice': classifierHead('AlbertForMultipleChoice'),
  'sentence-order-prediction': classifierHead('AlbertForPreTraining', 'sop_classifier.classifier'),
  'masked-language-modeling': {
    architecture: 'AlbertForMaskedLM',
    tensors: {
      'dense.weight': 'predictions.dense.weight',
      'dense.bias': 'predictions.dense.bias',
      'norm.weight': 'predictions.LayerNorm.weight',
      'norm.bias': 'predictions.LayerNorm.bias',
      bias: 'predictions.bias',
    },
    activation: o.hiddenAct,
    epsilon: o.layerNormEps,
    width: o.embeddingSize,
  },
})

/**
 * ALBERT: BERT with factorized embeddings, projected to the hidden size before the first layer, and with layers that share weights.
 * `pooled` is the hidden state of the first token after a linear layer and tanh.
 */
export const albert = definePlugin({
  kind: MODEL,
  name: 'albert',
  summary: 'ALBERT encoder with cross-layer parameter sharing; compatible with transformers checkpoints',
  source: 'Lan et al., ALBERT: A Lite BERT, 2020, section 3.1',
  options,
  create: (o): Model => ({
    prefix: 'albert.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: o.classifierDropoutProb,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['albert.embeddings.', 'albert.encoder.embedding_hidden_mapping_in.'] },
      ...layerPrefixes(o).map((at, i) => ({ name: `layer ${i}`, prefixes: [`${at}.`] })),
      { name: 'pooler', prefixes: ['albert.pooler.'] },
    ],
    config: { model_type: 'albert', ...configFromOptions(o) },
    init: (key) => initialParameters(shapesOf(o), key, o.initializerRange, { [WORDS]: o.padTokenId }),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model albert': typeof albert
  }
}

export default albert
