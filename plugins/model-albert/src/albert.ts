import { MODEL, type Model, definePlugin, scheduled } from '@attune/core'
import {
  type EncoderLayerNames,
  classifierHead,
  countOption as count,
  encoderModel,
  encoderOptions,
  maskedTokenHead,
  multipleOf,
  probabilityOption as probability,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
const options = z
  .strictObject({
    ...encoderOptions,
    vocabSize: encoderOptions.vocabSize.default(30000),
    embeddingSize: count('Embedding size, before the projection to the hidden size').default(128),
    hiddenSize: encoderOptions.hiddenSize.default(4096),
    numHiddenLayers: z.int().min(1).max(1000).default(12).describe('Number of layers, each an application of a group'),
    numHiddenGroups: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Number of layer groups; the layers of a group share their weights'),
    innerGroupNum: z.int().min(1).max(100).default(1).describe('Number of inner layers per group'),
    numAttentionHeads: encoderOptions.numAttentionHeads.default(64),
    intermediateSize: encoderOptions.intermediateSize.default(16384),
    hiddenAct: encoderOptions.hiddenAct.default('gelu_new'),
    hiddenDropoutProb: scheduled(probability('Dropout on the embeddings and on the attention output').default(0)),
    attentionProbsDropoutProb: scheduled(probability('Dropout on the attention weights').default(0)),
    classifierDropoutProb: scheduled(probability('Dropout before the head').default(0.1)),
  })
  .refine(...multipleOf('hiddenSize', 'numAttentionHeads'))
  .refine(...multipleOf('numHiddenLayers', 'numHiddenGroups'))

type Options = z.output<typeof options>

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

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: 'AlbertModel', tensors: {} },
  'sequence-classification': classifierHead('AlbertForSequenceClassification'),
  'token-classification': classifierHead('AlbertForTokenClassification'),
  'span-extraction': classifierHead('AlbertForQuestionAnswering', 'qa_outputs'),
  'multiple-choice': classifierHead('AlbertForMultipleChoice'),
  'sentence-order-prediction': classifierHead('AlbertForPreTraining', 'sop_classifier.classifier'),
  'masked-language-modeling': maskedTokenHead(
    'AlbertForMaskedLM',
    { dense: 'predictions.dense', norm: 'predictions.LayerNorm', bias: 'predictions.bias' },
    { activation: o.hiddenAct, epsilon: o.layerNormEps, width: o.embeddingSize },
  ),
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
  create(o): Model {
    const applications = { ...o, numHiddenLayers: o.numHiddenLayers * o.innerGroupNum }
    return {
      ...encoderModel(applications, {
        prefix: 'albert',
        names: NAMES,
        layerAt: (index) => layerPrefix(o, index),
        layerDropout: { attended: o.hiddenDropoutProb, narrow: 0 },
        projection: 'albert.encoder.embedding_hidden_mapping_in',
        pooler: { layer: 'albert.pooler', activation: 'tanh' },
      }),
      heads: heads(o),
      headDropout: o.classifierDropoutProb,
      config: { model_type: 'albert', ...configFromOptions(o) },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model albert': typeof albert
  }
}

export default albert
