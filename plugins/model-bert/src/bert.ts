import { MODEL, type Model, definePlugin } from '@attune/core'
import {
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

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults (BERT base). */
const options = z
  .strictObject({
    ...encoderOptions,
    vocabSize: count('Vocabulary size; the default is that of bert-base-uncased').default(30522),
    classifierDropout: probability('Dropout before the head. Default: hiddenDropoutProb').optional(),
    positionEmbeddingType: z.literal('absolute').default('absolute').describe('Kind of position embedding'),
  })
  .refine(...multipleOf('hiddenSize', 'numAttentionHeads'))

/** The heads, for the activation and epsilon of the layers. */
const heads = (activation: string, epsilon: number): Model['heads'] => ({
  contrastive: { architecture: 'BertModel', tensors: {} },
  'sequence-classification': classifierHead('BertForSequenceClassification'),
  'token-classification': classifierHead('BertForTokenClassification'),
  'span-extraction': classifierHead('BertForQuestionAnswering', 'qa_outputs'),
  'multiple-choice': classifierHead('BertForMultipleChoice'),
  'next-sentence-prediction': classifierHead('BertForNextSentencePrediction', 'cls.seq_relationship'),
  'sentence-order-prediction': classifierHead('BertForNextSentencePrediction', 'cls.seq_relationship'),
  'masked-language-modeling': maskedTokenHead(
    'BertForMaskedLM',
    {
      dense: 'cls.predictions.transform.dense',
      norm: 'cls.predictions.transform.LayerNorm',
      bias: 'cls.predictions.bias',
    },
    { activation, epsilon },
  ),
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
    ...encoderModel(o, { prefix: 'bert', pooler: { layer: 'bert.pooler.dense', activation: 'tanh' } }),
    heads: heads(o.hiddenAct, o.layerNormEps),
    headDropout: o.classifierDropout ?? o.hiddenDropoutProb,
    config: { model_type: 'bert', ...configFromOptions(o) },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model bert': typeof bert
  }
}

export default bert
