import { MODEL, type Model, definePlugin, scheduled } from '@attune/core'
import {
  type EncoderLayerNames,
  classifierHead,
  countOption as count,
  encoderModel,
  encoderOptions,
  initializerRangeOption,
  maskedTokenHead,
  multipleOf,
  probabilityOption as probability,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
const options = z
  .strictObject({
    vocabSize: encoderOptions.vocabSize,
    maxPositionEmbeddings: encoderOptions.maxPositionEmbeddings,
    sinusoidalPosEmbds: z.boolean().default(false).describe('Position embeddings are sinusoidal, not learned'),
    nLayers: encoderOptions.numHiddenLayers.default(6),
    nHeads: encoderOptions.numAttentionHeads,
    dim: count('Hidden size; a multiple of nHeads').default(768),
    hiddenDim: encoderOptions.intermediateSize,
    dropout: scheduled(
      probability('Dropout on the embeddings and on the output of the feed-forward layers').default(0.1),
    ),
    attentionDropout: encoderOptions.attentionProbsDropoutProb,
    activation: encoderOptions.hiddenAct,
    initializerRange: initializerRangeOption(),
    seqClassifDropout: scheduled(probability('Dropout before the last layer of the classification head').default(0.2)),
    padTokenId: encoderOptions.padTokenId,
  })
  .refine(...multipleOf('dim', 'nHeads'))

type Options = z.output<typeof options>

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

/** The options by BERT's names. */
const sizesOf = (o: Options) => ({
  ...o,
  hiddenSize: o.dim,
  numHiddenLayers: o.nLayers,
  numAttentionHeads: o.nHeads,
  intermediateSize: o.hiddenDim,
  hiddenAct: o.activation,
  hiddenDropoutProb: o.dropout,
  attentionProbsDropoutProb: o.attentionDropout,
  layerNormEps: EPSILON,
})

const heads = (activation: string): Model['heads'] => ({
  contrastive: { architecture: 'DistilBertModel', tensors: {} },
  'sequence-classification': classifierHead('DistilBertForSequenceClassification'),
  'token-classification': classifierHead('DistilBertForTokenClassification'),
  'span-extraction': classifierHead('DistilBertForQuestionAnswering', 'qa_outputs'),
  'multiple-choice': classifierHead('DistilBertForMultipleChoice'),
  'masked-language-modeling': maskedTokenHead(
    'DistilBertForMaskedLM',
    { dense: 'vocab_transform', norm: 'vocab_layer_norm', bias: 'vocab_projector.bias' },
    { activation, epsilon: EPSILON },
  ),
})

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
    ...encoderModel(sizesOf(o), {
      prefix: 'distilbert',
      names: NAMES,
      layerAt: (index) => `distilbert.transformer.layer.${index}`,
      layerDropout: { attended: 0, narrow: o.dropout },
      pooler: { layer: 'pre_classifier', activation: 'relu' },
    }),
    heads: heads(o.activation),
    headDropout: o.seqClassifDropout,
    config: { model_type: 'distilbert', ...configFromOptions(o) },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model distilbert': typeof distilbert
  }
}

export default distilbert
