import { MODEL, type Model, type TextInputs, definePlugin } from '@attune/core'
import {
  classifierHead,
  countOption as count,
  encoderModel,
  encoderOptions,
  maskedTokenHead,
  multipleOf,
  probabilityOption as probability,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, cast, cumsum, mul, notEqual, scalar } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
const options = z
  .strictObject({
    modelType: z.enum(['roberta', 'xlm-roberta']).default('roberta').describe('Family member'),
    ...encoderOptions,
    vocabSize: encoderOptions.vocabSize.default(50265),
    classifierDropout: probability('Dropout before the head. Default: hiddenDropoutProb').optional(),
    maxPositionEmbeddings: count('Rows of the position table; the first padTokenId + 1 are not used by tokens').default(
      512,
    ),
    padTokenId: tokenId('Padding token; positions start at padTokenId + 1').default(1),
    bosTokenId: tokenId('Beginning-of-sequence token').default(0),
    eosTokenId: tokenId('End-of-sequence token').default(2),
  })
  .refine(...multipleOf('hiddenSize', 'numAttentionHeads'))
  .refine((o) => o.maxPositionEmbeddings > o.padTokenId + 1, {
    path: ['maxPositionEmbeddings'],
    message: 'must be more than padTokenId + 1',
  })

type Options = z.output<typeof options>

/** Rows of the position table: tokens are numbered from padTokenId + 1, skipping padding, which has row padTokenId. */
function positionsOf(o: Options, { inputIds, positionIds }: TextInputs): Tensor {
  if (positionIds !== undefined) return add(positionIds, scalar(o.padTokenId + 1, 'int32'))
  const padding = scalar(o.padTokenId, 'int32')
  const tokens = cast(notEqual(inputIds, padding), 'int32') // [batch, length]
  return add(mul(cumsum(tokens, 1), tokens), padding)
}

const CLASSES = { roberta: 'Roberta', 'xlm-roberta': 'XLMRoberta' } as const

const heads = (family: string, epsilon: number): Model['heads'] => ({
  contrastive: { architecture: `${family}Model`, tensors: {} },
  'sequence-classification': classifierHead(`${family}ForSequenceClassification`, 'classifier.out_proj'),
  'token-classification': classifierHead(`${family}ForTokenClassification`),
  'span-extraction': classifierHead(`${family}ForQuestionAnswering`, 'qa_outputs'),
  'masked-language-modeling': maskedTokenHead(
    `${family}ForMaskedLM`,
    { dense: 'lm_head.dense', norm: 'lm_head.layer_norm', bias: 'lm_head.bias' },
    { activation: 'gelu', epsilon },
  ),
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
  create(o): Model {
    const headDropout = o.classifierDropout ?? o.hiddenDropoutProb
    return {
      ...encoderModel(o, {
        prefix: 'roberta',
        positions: (inputs) => positionsOf(o, inputs),
        paddingPosition: o.padTokenId,
        pooler: { layer: 'classifier.dense', activation: 'tanh', dropout: headDropout },
      }),
      heads: heads(CLASSES[o.modelType], o.layerNormEps),
      maximumLength: o.maxPositionEmbeddings - o.padTokenId - 1,
      headDropout,
      config: configFromOptions(o),
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model roberta': typeof roberta
  }
}

export default roberta
