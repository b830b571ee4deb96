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
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, range, tanh } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults (BERT base). */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size; the default is that of bert-base-uncased').default(30522),
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
    maxPositionEmbeddings: count('Maximum sequence length, in tokens').default(512),
    typeVocabSize: count('Number of token types (segments), such as first and second text').default(2),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    layerNormEps: z.number().positive().max(1).default(1e-12).describe('Epsilon of the layer norms'),
    padTokenId: z.int().min(0).default(0).describe('Padding token; its embedding is initialized to zero'),
    positionEmbeddingType: z.literal('absolute').default('absolute').describe('Kind of position embedding'),
  })
  .refine((o) => o.hiddenSize % o.numAttentionHeads === 0, {
    path: ['hiddenSize'],
    message: 'must be a multiple of numAttentionHeads',
  })

type BertOptions = z.output<typeof options>

const WORDS = 'bert.embeddings.word_embeddings.weight'

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: BertOptions): Record<string, readonly number[]> {
  const H = o.hiddenSize
  const layers = Array.from({ length: o.numHiddenLayers }, (_, i) =>
    encoderLayerShapes(`bert.encoder.layer.${i}`, BERT_LAYER, H, o.intermediateSize),
  )
  return {
    [WORDS]: [o.vocabSize, H],
    'bert.embeddings.position_embeddings.weight': [o.maxPositionEmbeddings, H],
    'bert.embeddings.token_type_embeddings.weight': [o.typeVocabSize, H],
    'bert.embeddings.LayerNorm.weight': [H],
    'bert.embeddings.LayerNorm.bias': [H],
    ...Object.assign({}, ...layers),
    'bert.pooler.dense.weight': [H, H],
    'bert.pooler.dense.bias': [H],
  }
}

/** Settings of the encoder layers. */
const layerOptions = (o: BertOptions): EncoderLayerOptions => ({
  names: BERT_LAYER,
  heads: o.numAttentionHeads,
  activation: o.hiddenAct,
  epsilon: o.layerNormEps,
  dropout: { attended: o.hiddenDropoutProb, narrow: o.hiddenDropoutProb },
  attentionDropout: o.attentionProbsDropoutProb,
})

/** Sum of word, position and token-type embeddings, normalized: `[batch, length]` → `[batch, length, hidden]`. */
function embed(o: BertOptions, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const length = inputs.inputIds.shape[1] as number
  const words = embedding(params, 'bert.embeddings.word_embeddings', inputs.inputIds) // [batch, length, hidden]
  const types = embedding(params, 'bert.embeddings.token_type_embeddings', inputs.tokenTypeIds)
  const ids = inputs.positionIds ?? range(0, length, 1, 'int32')
  const positions = embedding(params, 'bert.embeddings.position_embeddings', ids) // [length, hidden]
  const sum = layerNorm(params, 'bert.embeddings.LayerNorm', add(add(words, types), positions), o.layerNormEps)
  return dropout(sum, o.hiddenDropoutProb, mode)
}

function forward(o: BertOptions, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const stacked = layerStack(params, embed(o, params, inputs, modeAt(mode, 0)), [attentionBias(inputs)], mode, {
    count: o.numHiddenLayers,
    at: (i) => `bert.encoder.layer.${i}`,
    layer: (own, y, [bias], context) => encoderLayer(own, y, bias!, layerOptions(o), context),
  })
  return encoderOutputs(stacked, ({ first }) => tanh(linear(params, 'bert.pooler.dense', first)))
}

const heads = (o: BertOptions): Model['heads'] => ({
  contrastive: { architecture: 'BertModel', tensors: {} },
  'sequence-classification': classifierHead('BertForSequenceClassification'),
  'token-classification': classifierHead('BertForTokenClassification'),
  'span-extraction': classifierHead('BertForQuestionAnswering', 'qa_outputs'),
  'multiple-choice': classifierHead('BertForMultipleChoice'),
  'next-sentence-prediction': classifierHead('BertForNextSentencePrediction', 'cls.seq_relationship'),
  'sentence-order-prediction': classifierHead('BertForNextSentencePrediction', 'cls.seq_relationship'),
  'masked-language-modeling': {
    architecture: 'BertForMaskedLM',
    tensors: {
      'dense.weight': 'cls.predictions.transform.dense.weight',
      'dense.bias': 'cls.predictions.transform.dense.bias',
      'norm.weight': 'cls.predictions.transform.LayerNorm.weight',
      'norm.bias': 'cls.predictions.transform.LayerNorm.bias',
      bias: 'cls.predictions.bias',
    },
    activation: o.hiddenAct,
    epsilon: o.layerNormEps,
  },
})

/**
 * BERT: a stack of post-norm transformer layers with bidirectional attention. `pooled` is the hidden state of the first token after
 * a linear layer and tanh.
 */
export const bert = definePlugin({
  kind: MODEL,
  name: 'bert',
  summary: 'BERT: bidirectional transformer encoder; compatible with transformers checkpoints',
  source: 'Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, 2019, section 3',
  options,
  create: (o): Model => ({
    prefix: 'bert.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: o.classifierDropout ?? o.hiddenDropoutProb,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['bert.embeddings.'] },
      ...layerGroups('layer', o.numHiddenLayers, 'bert.encoder.layer'),
      { name: 'pooler', prefixes: ['bert.pooler.'] },
    ],
    config: { model_type: 'bert', ...configFromOptions(o) },
    init: (key) => initialParameters(shapesOf(o), key, o.initializerRange, { [WORDS]: o.padTokenId }),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model bert': typeof bert
  }
}

export default bert
