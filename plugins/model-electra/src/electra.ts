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
  activation,
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
import { type Tensor, add } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults (ELECTRA small). */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(30522),
    embeddingSize: count('Embedding size; if it is not hiddenSize, embeddings are projected').default(128),
    hiddenSize: count('Hidden size; a multiple of numAttentionHeads').default(256),
    numHiddenLayers: z.int().min(1).max(1000).default(12).describe('Number of transformer layers'),
    numAttentionHeads: count('Attention heads per layer').default(4),
    intermediateSize: count('Intermediate size: width of the feed-forward layer').default(1024),
    hiddenAct: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    hiddenDropoutProb: scheduled(
      probability('Dropout on the embeddings and on the output of each sublayer').default(0.1),
    ),
    attentionProbsDropoutProb: scheduled(probability('Dropout on the attention weights').default(0.1)),
    classifierDropout: probability('Dropout in the head. Default: hiddenDropoutProb').optional(),
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
    positionEmbeddingType: z.literal('absolute').default('absolute').describe('Kind of position embedding'),
  })
  .refine((o) => o.hiddenSize % o.numAttentionHeads === 0, {
    path: ['hiddenSize'],
    message: 'must be a multiple of numAttentionHeads',
  })

type Options = z.output<typeof options>

const WORDS = 'electra.embeddings.word_embeddings.weight'

const isProjected = (o: Options): boolean => o.embeddingSize !== o.hiddenSize

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const [E, H] = [o.embeddingSize, o.hiddenSize]
  const layers = Array.from({ length: o.numHiddenLayers }, (_, i) =>
    encoderLayerShapes(`electra.encoder.layer.${i}`, BERT_LAYER, H, o.intermediateSize),
  )
  return {
    [WORDS]: [o.vocabSize, E],
    'electra.embeddings.position_embeddings.weight': [o.maxPositionEmbeddings, E],
    'electra.embeddings.token_type_embeddings.weight': [o.typeVocabSize, E],
    'electra.embeddings.LayerNorm.weight': [E],
    'electra.embeddings.LayerNorm.bias': [E],
    ...(isProjected(o) && { 'electra.embeddings_project.weight': [H, E], 'electra.embeddings_project.bias': [H] }),
    ...Object.assign({}, ...layers),
    'classifier.dense.weight': [H, H],
    'classifier.dense.bias': [H],
  }
}

/** Sum of word, position and token-type embeddings, normalized and projected: `[batch, length]` → `[batch, length, hidden]`. */
function embed(o: Options, params: Params, inputs: TextInputs, mode: Mode): Tensor {
  const words = embedding(params, 'electra.embeddings.word_embeddings', inputs.inputIds) // [batch, length, embedding]
  const types = embedding(params, 'electra.embeddings.token_type_embeddings', inputs.tokenTypeIds)
  const ids = inputs.positionIds ?? defaultPositions(inputs)
  const positions = embedding(params, 'electra.embeddings.position_embeddings', ids)
  const sum = layerNorm(params, 'electra.embeddings.LayerNorm', add(add(words, types), positions), o.layerNormEps)
  const dropped = dropout(sum, o.hiddenDropoutProb, mode)
  return isProjected(o) ? linear(params, 'electra.embeddings_project', dropped) : dropped
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
    at: (i) => `electra.encoder.layer.${i}`,
    layer: (own, y, [bias], context) => encoderLayer(own, y, bias!, layer, context),
  })
  return encoderOutputs(stacked, ({ first }) => {
    const dropped = dropout(first, o.classifierDropout ?? o.hiddenDropoutProb, modeAt(mode, 998))
    return activation('gelu')(linear(params, 'classifier.dense', dropped))
  })
}

const heads = (o: Options): Model['heads'] => ({
  contrastive: { architecture: 'ElectraModel', tensors: {} },
  'sequence-classification': classifierHead('ElectraForSequenceClassification', 'classifier.out_proj'),
  'token-classification': classifierHead('ElectraForTokenClassification'),
  'span-extraction': classifierHead('ElectraForQuestionAnswering', 'qa_outputs'),
  'masked-language-modeling': {
    architecture: 'ElectraForMaskedLM',
    tensors: {
      'dense.weight': 'generator_predictions.dense.weight',
      'dense.bias': 'generator_predictions.dense.bias',
      'norm.weight': 'generator_predictions.LayerNorm.weight',
      'norm.bias': 'generator_predictions.LayerNorm.bias',
      bias: 'generator_lm_head.bias',
    },
    activation: 'gelu', // in transformers, whatever the activation of the layers
    epsilon: o.layerNormEps,
    width: o.embeddingSize,
  },
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
  create: (o): Model => ({
    prefix: 'electra.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.hiddenSize,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: o.classifierDropout ?? o.hiddenDropoutProb,
    initializerRange: o.initializerRange,
    layers: [
      { name: 'embeddings', prefixes: ['electra.embeddings.', 'electra.embeddings_project.'] },
      ...layerGroups('layer', o.numHiddenLayers, 'electra.encoder.layer'),
      { name: 'pooler', prefixes: ['classifier.dense.'] },
    ],
    config: { model_type: 'electra', ...configFromOptions(o) },
    init: (key) => initialParameters(shapesOf(o), key, o.initializerRange, { [WORDS]: o.padTokenId }),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model electra': typeof electra
  }
}

export default electra
