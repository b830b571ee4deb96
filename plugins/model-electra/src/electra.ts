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

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults (ELECTRA small). */
const options = z
  .strictObject({
    ...encoderOptions,
    embeddingSize: count('Embedding size; if it is not hiddenSize, embeddings are projected').default(128),
    hiddenSize: encoderOptions.hiddenSize.default(256),
    numAttentionHeads: encoderOptions.numAttentionHeads.default(4),
    intermediateSize: encoderOptions.intermediateSize.default(1024),
    classifierDropout: probability('Dropout in the head. Default: hiddenDropoutProb').optional(),
    positionEmbeddingType: z.literal('absolute').default('absolute').describe('Kind of position embedding'),
  })
  .refine(...multipleOf('hiddenSize', 'numAttentionHeads'))

type Options = z.output<typeof options>

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: 'ElectraModel', tensors: {} },
  'sequence-classification': classifierHead('ElectraForSequenceClassification', 'classifier.out_proj'),
  'token-classification': classifierHead('ElectraForTokenClassification'),
  'span-extraction': classifierHead('ElectraForQuestionAnswering', 'qa_outputs'),
  'masked-language-modeling': maskedTokenHead(
    'ElectraForMaskedLM',
    {
      dense: 'generator_predictions.dense',
      norm: 'generator_predictions.LayerNorm',
      bias: 'generator_lm_head.bias',
    },
    // GELU in transformers, whatever the activation of the layers.
    { activation: 'gelu', epsilon: o.layerNormEps, width: o.embeddingSize },
  ),
  'replaced-token-detection': {
    architecture: 'ElectraForPreTraining',
    tensors: {
      'dense.weight': 'discriminator_predictions.dense.weight',
      'dense.bias': 'discriminator_predictions.dense.bias',
      'out.weight': 'discriminator_predictions.dense_prediction.weight',
      'out.bias': 'discriminator_predictions.dense_prediction.bias',
    },
    activation: o.hiddenAct,
  },
})

/**
 * ELECTRA: BERT's layers with factorized embeddings, which are projected to the hidden size before the first layer if the sizes differ.
 * The same architecture is the generator and the discriminator of its pretraining. `pooled` is the hidden state of the first token after
 * the linear layer and GELU in front of the last layer of its classification head.
 */
export const electra = definePlugin({
  kind: MODEL,
  name: 'electra',
  summary: 'ELECTRA: encoder pretrained by replaced token detection; compatible with transformers checkpoints',
  source: 'Clark et al., ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators, 2020, section 2',
  options,
  create(o): Model {
    const headDropout = o.classifierDropout ?? o.hiddenDropoutProb
    return {
      ...encoderModel(o, {
        prefix: 'electra',
        projection: o.embeddingSize === o.hiddenSize ? undefined : 'electra.embeddings_project',
        pooler: { layer: 'classifier.dense', activation: 'gelu', dropout: headDropout },
      }),
      heads: heads(o),
      headDropout,
      config: { model_type: 'electra', ...configFromOptions(o) },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model electra': typeof electra
  }
}

export default electra
