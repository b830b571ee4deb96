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
  type EncoderLayerOptions,
  BERT_LAYER,
  activationNames,
  attentionBias,
  classifierHead,
  countOption as count,
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
  tokenIdOption as tokenId,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, cast, cumsum, mul, notEqual, scalar, tanh } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
const options = z
  .strictObject({
    modelType: z.enum(['roberta', 'xlm-roberta']).default('roberta').describe('Family member'),
    vocabSize: count('Vocabulary size').default(50265),
    hiddenSize: count('Hidden size; a multiple of numAttentionHeads').default(768),
    numHiddenLayers: z.int().min(1).max(1000).default(12).describe('Number of transformer layers'),
    numAttentionHeads: count('Attention heads per layer').default(12),
    intermediateSize: count('Intermediate size: width of the feed-forward layer').default(3072),
    hiddenAct: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    hiddenDropoutProb: scheduled(
      probability('Dropout on the embeddings and on the output of each sublayer').default(0.1),
    ),
    attentionProbsDropoutProb: scheduled(probability('Dropout on the attention weights').default(0.1)),
    classifierDropout: probability('Dropout before the head. Default: hiddenDropoutProb').optional(),
    maxPositionEmbeddings: count('Rows of the position table; the first padTokenId + 1 are not used by tokens').default(
      512,
    ),
    typeVocabSize: count('Number of token types (segments)').default(2),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    layerNormEps: z.number().positive().max(1).default(1e-12).describe('Epsilon of the layer norms'),
    padTokenId: tokenId('Padding token; positions start at padTokenId + 1').default(1),
    bosTokenId: tokenId('Beginning-of-sequence token').default(0),
    eosTokenId: tokenId('End-of-sequence token').default(2),
  })
  .refine((o) => o.hiddenSize % o.numAttentionHeads === 0, {
    path: ['hiddenSize'],
    message: 'must be a multiple of numAttentionHeads',
  })
  .refine((o) => o.maxPositionEmbeddings > o.padTokenId + 1, {
    path: ['maxPositionEmbeddings'],
    message: 'must be more than padTokenId + 1',
  })

type Options = z.output<typeof options>

const WORDS = 'roberta.embeddings.word_embeddings.weight'
const POSITIONS = 'roberta.embeddings.position_embeddings.weight'

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const H = o.hiddenSize
  const layers = Array.from({ length: o.numHiddenLayers }, (_, i) =>
    encoderLayerShapes(`roberta.encoder.layer.${i}`, BERT_LAYER, H, o.intermediateSize),
  )
  return {
    [WORDS]: [o.vocabSize, H],
    [POSITIONS]: [o.maxPositionEmbeddings, H],
    'roberta.embeddings.token_type_embeddings.weight': [o.typeVocabSize, H],
    'roberta.embeddings.LayerNorm.weight': [H],
    'roberta.embeddings.LayerNorm.bias': [H],
    ...Object.assign({}, ...layers),
    'classifier.dense.weight': [H, H],
    'classifier.dense.bias': [H],
  }
}

/** Rows of the position table: tokens are numbered from padTokenId + 1, skipping padding, which has row padTokenId. */
function positionsOf(o: Options, { inputIds, positionIds }: TextInputs): Tensor {
  if (positionIds !== undefined) return add(positionIds, scalar(o.padTokenId + 1, 'int32'))
  const padding = scalar(o.padTokenId, 'int32')
  const tokens = cast(notEqual(inputIds, padding), 'int32') // [batch, length]
  return add(mul(cumsum(tokens, 1), tokens), padding)
}

/** Sum of word, position and token-type embeddings, normalized: `[batch, length]` → `[batch, length, hidden]`. */
function embed(o: Options, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const words = embedding(params, 'roberta.embeddings.word_embeddings', inputs.inputIds) // [batch, length, hidden]
  const types = embedding(params, 'roberta.embeddings.token_type_embeddings', inputs.tokenTypeIds)
  const positions = embedding(params, 'roberta.embeddings.position_embeddings', positionsOf(o, inputs))
  const sum = layerNorm(params, 'roberta.embeddings.LayerNorm', add(add(words, types), positions), o.layerNormEps)
  return dropout(sum, o.hiddenDropoutProb, mode)
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const layer: EncoderLayerOptions = {
    names: BERT_LAYER,
    heads: o.numAttentionHeads,
    activation: o.hiddenAct,
    epsilon: o.layerNormEps,
    dropout: { attended: o.hiddenDropoutProb, narrow: o.hiddenDropoutProb },
    attentionDropout: o.attentionProbsDropoutProb,
  }
  const stacked = layerStack(params, embed(o, params, inputs, modeAt(mode, 0)), [attentionBias(inputs)], mode, {
    count: o.numHiddenLayers,
    at: (i) => `roberta.encoder.layer.${i}`,
    layer: (own, y, [bias], context) => encoderLayer(own, y, bias!, layer, context),
  })
  return encoderOutputs(stacked, ({ first }) => {
    const dropped = dropout(first, o.classifierDropout ?? o.hiddenDropoutProb, modeAt(mode, 998))
    return tanh(linear(params, 'classifier.dense', dropped))
  })
}

const CLASSES = { roberta: 'Roberta', 'xlm-roberta': 'XLMRoberta' } as const

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: `${CLASSES[o.modelType]}Model`, tensors: {} },
  'sequence-classification': {
    architecture: `${CLASSES[o.modelType]}ForSequenceClassification`,
    tensors: { 'classifier.weight': 'classifier.out_proj.weight', 'classifier.bias': 'classifier.out_proj.bias' },
  },
  'token-classification': classifierHead(`${CLASSES[o.modelType]}ForTokenClassification`),
  'span-extraction': classifierHead(`${CLASSES[o.modelType]}ForQuestionAnswering`, 'qa_outputs'),
  'masked-language-modeling': {
    architecture: `${CLASSES[o.modelType]}ForMaskedLM`,
    tensors: {
      'dense.weight': 'lm_head.dense.weight',
      'dense.bias': 'lm_head.dense.bias',
      'norm.weight': 'lm_head.layer_norm.weight',
      'norm.bias': 'lm_head.layer_norm.bias',
      bias: 'lm_head.bias',
    },
    activation: 'gelu',
    epsilon: o.layerNormEps,
  },
})

/**
 * RoBERTa and XLM-RoBERTa: BERT's layers, trained longer and without next-sentence prediction; positions skip padding. `pooled` is the
 * hidden state of the first token after the linear layer and tanh in front of the last layer of its classification head.
 */
export const roberta = definePlugin({
  kind: MODEL,
  name: 'roberta',
  summary: 'RoBERTa and XLM-RoBERTa encoders; compatible with transformers checkpoints',
  source: 'Liu et al., RoBERTa: A Robustly Optimized BERT Pretraining Approach, 2019, section 4',
  options,
  create: (o): Model => ({
    prefix: 'roberta.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings - o.padTokenId - 1,
    headDropout: o.classifierDropout ?? o.hiddenDropoutProb,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['roberta.embeddings.'] },
      ...layerGroups('layer', o.numHiddenLayers, 'roberta.encoder.layer'),
      { name: 'pooler', prefixes: ['classifier.dense.'] },
    ],
    config: configFromOptions(o),
    init: (key) =>
      initialParameters(shapesOf(o), key, o.initializerRange, { [WORDS]: o.padTokenId, [POSITIONS]: o.padTokenId }),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model roberta': typeof roberta
  }
}

export default roberta
