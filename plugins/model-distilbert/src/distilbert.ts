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
  layerGroups,
  layerNorm,
  layerStack,
  linear,
  probabilityOption as probability,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, relu } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(30522),
    maxPositionEmbeddings: count('Maximum sequence length, in tokens').default(512),
    sinusoidalPosEmbds: z.boolean().default(false).describe('Position embeddings are sinusoidal, not learned'),
    nLayers: z.int().min(1).max(1000).default(6).describe('Number of transformer layers'),
    nHeads: count('Attention heads per layer').default(12),
    dim: count('Hidden size; a multiple of nHeads').default(768),
    hiddenDim: count('Intermediate size: width of the feed-forward layer').default(3072),
    dropout: scheduled(
      probability('Dropout on the embeddings and on the output of the feed-forward layers').default(0.1),
    ),
    attentionDropout: scheduled(probability('Dropout on the attention weights').default(0.1)),
    activation: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    seqClassifDropout: scheduled(probability('Dropout before the last layer of the classification head').default(0.2)),
    padTokenId: z.int().min(0).default(0).describe('Padding token; its embedding is initialized to zero'),
  })
  .refine((o) => o.dim % o.nHeads === 0, { path: ['dim'], message: 'must be a multiple of nHeads' })

type Options = z.output<typeof options>

const WORDS = 'distilbert.embeddings.word_embeddings.weight'
const EPSILON = 1e-12

const NAMES: EncoderLayerNames = {
  block: 'attention',
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attentionOutput: 'attention.out_lin',
  attentionNorm: 'sa_layer_norm',
  intermediate: 'ffn.lin1',
  output: 'ffn.lin2',
  norm: 'output_layer_norm',
}

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const layers = Array.from({ length: o.nLayers }, (_, i) =>
    encoderLayerShapes(`distilbert.transformer.layer.${i}`, NAMES, o.dim, o.hiddenDim),
  )
  return {
    [WORDS]: [o.vocabSize, o.dim],
    'distilbert.embeddings.position_embeddings.weight': [o.maxPositionEmbeddings, o.dim],
    'distilbert.embeddings.LayerNorm.weight': [o.dim],
    'distilbert.embeddings.LayerNorm.bias': [o.dim],
    ...Object.assign({}, ...layers),
    'pre_classifier.weight': [o.dim, o.dim],
    'pre_classifier.bias': [o.dim],
  }
}

/** Sum of word and position embeddings, normalized: `[batch, length]` → `[batch, length, hidden]`. */
function embed(o: Options, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const words = embedding(params, 'distilbert.embeddings.word_embeddings', inputs.inputIds)
  const ids = inputs.positionIds ?? defaultPositions(inputs)
  const positions = embedding(params, 'distilbert.embeddings.position_embeddings', ids)
  return dropout(layerNorm(params, 'distilbert.embeddings.LayerNorm', add(words, positions), EPSILON), o.dropout, mode)
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const layer: EncoderLayerOptions = {
    names: NAMES,
    heads: o.nHeads,
    activation: o.activation,
    epsilon: EPSILON,
    dropout: { attended: 0, narrow: o.dropout },
    attentionDropout: o.attentionDropout,
  }
  const stacked = layerStack(params, embed(o, params, inputs, modeAt(mode, 0)), [attentionBias(inputs)], mode, {
    count: o.nLayers,
    at: (i) => `distilbert.transformer.layer.${i}`,
    layer: (own, y, [bias], context) => encoderLayer(own, y, bias!, layer, context),
  })
  return encoderOutputs(stacked, ({ first }) => relu(linear(params, 'pre_classifier', first)))
}

const HEADS: Model['heads'] = {
  contrastive: { architecture: 'DistilBertModel', tensors: {} },
  'sequence-classification': classifierHead('DistilBertForSequenceClassification'),
  'token-classification': classifierHead('DistilBertForTokenClassification'),
  'span-extraction': classifierHead('DistilBertForQuestionAnswering', 'qa_outputs'),
  'multiple-choice': classifierHead('DistilBertForMultipleChoice'),
  'masked-language-modeling': {
    architecture: 'DistilBertForMaskedLM',
    tensors: {
      'dense.weight': 'vocab_transform.weight',
      'dense.bias': 'vocab_transform.bias',
      'norm.weight': 'vocab_layer_norm.weight',
      'norm.bias': 'vocab_layer_norm.bias',
      bias: 'vocab_projector.bias',
    },
    epsilon: EPSILON,
  },
}

/**
 * DistilBERT: BERT with half the layers, without token types and pooler, distilled from a larger BERT. `pooled` is the hidden state
 * of the first token after the linear layer and ReLU in front of the last layer of its classification head.
 */
export const distilbert = definePlugin({
  kind: MODEL,
  name: 'distilbert',
  summary: 'DistilBERT: distilled BERT encoder; compatible with transformers checkpoints',
  source: 'Sanh et al., DistilBERT, a distilled version of BERT, 2019, section 3',
  options,
  create: (o): Model => ({
    prefix: 'distilbert.',
    wordEmbeddings: WORDS,
    heads: {
      ...HEADS,
      'masked-language-modeling': { ...HEADS['masked-language-modeling']!, activation: o.activation },
    },
    hiddenSize: o.dim,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: o.seqClassifDropout,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['distilbert.embeddings.'] },
      ...layerGroups('layer', o.nLayers, 'distilbert.transformer.layer'),
      { name: 'pooler', prefixes: ['pre_classifier.'] },
    ],
    config: { model_type: 'distilbert', ...configFromOptions(o) },
    init: (key) => initialParameters(shapesOf(o), key, o.initializerRange, { [WORDS]: o.padTokenId }),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model distilbert': typeof distilbert
  }
}

export default distilbert
