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

/** The options are the keys of a Hugging Face `config.json` in camel case, with the same defaults (BERT base). */
const options = z
  .strictObject({
    vocabSize: count('Entries of the vocabulary; the default fits the tokenizer of bert-base-uncased').default(30522),
    hiddenSize: count('Width of the hidden states; a multiple of numAttentionHeads').default(768),
    numHiddenLayers: z.int().min(1).max(1000).default(12).describe('Transformer layers'),
    numAttentionHeads: count('Attention heads of a layer').default(12),
    intermediateSize: count('Width of the feed-forward layer').default(3072),
    hiddenAct: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    hiddenDropoutProb: scheduled(probability('Dropout of embeddings and of what each sub-layer adds').default(0.1)),
    attentionProbsDropoutProb: scheduled(probability('Dropout of the attention weights').default(0.1)),
    classifierDropout: probability("Dropout before a head; the default is hiddenDropoutProb's value").optional(),
    maxPositionEmbeddings: count('The most tokens of a text').default(512),
    typeVocabSize: count('Kinds of token types (first text, second text)').default(2),
    initializerRange: z.number().positive().max(10).default(0.02).describe('Standard deviation of new weights'),
    layerNormEps: z.number().positive().max(1).default(1e-12).describe('Added to the variance in layer norms'),
    padTokenId: z.int().min(0).default(0).describe('The id whose embedding starts at zero'),
    positionEmbeddingType: z.literal('absolute').default('absolute').describe('Kind of position embedding'),
  })
  .refine((o) => o.hiddenSize % o.numAttentionHeads === 0, {
    path: ['hiddenSize'],
    message: 'must be a multiple of numAttentionHeads',
  })

type BertOptions = z.output<typeof options>

const WORDS = 'bert.embeddings.word_embeddings.weight'

/** The shape of every parameter by its name in a checkpoint. */
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

/** How its layers compute. */
const layerOptions = (o: BertOptions): EncoderLayerOptions => ({
  names: BERT_LAYER,
  heads: o.numAttentionHeads,
  activation: o.hiddenAct,
  epsilon: o.layerNormEps,
  dropout: { attended: o.hiddenDropoutProb, narrow: o.hiddenDropoutProb },
  attentionDropout: o.attentionProbsDropoutProb,
})

/** Words, positions and token types, summed, normalised: `[batch, length]` → `[batch, length, hidden]`. */
function embed(o: BertOptions, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const length = inputs.inputIds.shape[1] as number
  const words = embedding(params, 'bert.embeddings.word_embeddings', inputs.inputIds) // [batch, length, hidden]
  const types = embedding(params, 'bert.embeddings.token_type_embeddings', inputs.tokenTypeIds)
  const places = inputs.positionIds ?? range(0, length, 1, 'int32')
  const positions = embedding(params, 'bert.embeddings.position_embeddings', places) // [length, hidden]
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
 * BERT: a stack of transformer layers in which every token sees every other, normalised after each sub-layer.
 * `pooled` is the first token's state through a dense layer and tanh.
 */
export const bert = definePlugin({
  kind: MODEL,
  name: 'bert',
  summary: 'Bidirectional transformer encoder, as in BERT checkpoints of the Hugging Face library',
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
export default bert
