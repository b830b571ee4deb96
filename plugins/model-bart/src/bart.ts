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
  type Side,
  ONE_PAIR_IN_A_ROW,
  activationNames,
  decoderCache,
  dropout,
  embedding,
  encoderDecoder,
  encoderDecoderShapes,
  endTokensOption,
  modeAt,
  initialParameters,
  layerGroups,
  layerNorm,
  linear,
  probabilityOption as probability,
  stackSizes,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { configFromOptions } from '@attune/weights'
import { type Tensor, add, mul, range, scalar, tanh } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const count = (description: string) => z.int().min(1).max(10_000_000).describe(description)
const layers = (description: string) => z.int().min(1).max(1000).default(12).describe(description)

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults (BART large). */
const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(50265),
    maxPositionEmbeddings: count('Maximum sequence length of encoder and decoder, in tokens').default(1024),
    dModel: count('Hidden size; a multiple of both numbers of heads').default(1024),
    encoderLayers: layers('Number of encoder layers'),
    encoderFfnDim: count("Intermediate size of the encoder's feed-forward layers").default(4096),
    encoderAttentionHeads: count('Attention heads per encoder layer').default(16),
    decoderLayers: layers('Number of decoder layers'),
    decoderFfnDim: count("Intermediate size of the decoder's feed-forward layers").default(4096),
    decoderAttentionHeads: count('Attention heads per decoder layer').default(16),
    activationFunction: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layers'),
    dropout: scheduled(probability('Dropout on the embeddings and on the output of each sublayer').default(0.1)),
    attentionDropout: scheduled(probability('Dropout on the attention weights').default(0)),
    activationDropout: scheduled(probability('Dropout inside the feed-forward layers').default(0)),
    classifierDropout: scheduled(
      probability('Dropout before and after the linear layer of the classification head').default(0),
    ),
    initStd: z.number().positive().max(10).default(0.02).describe('Standard deviation of the weight initialization'),
    scaleEmbedding: z.boolean().default(false).describe('Multiply word embeddings by √dModel'),
    tieWordEmbeddings: z.literal(true).default(true).describe('Tie the language-modeling head to the word embeddings'),
    separateHead: z
      .boolean()
      .default(false)
      .describe('Language-modeling head with weights of its own, as some checkpoints store; embeddings stay tied'),
    padTokenId: tokenId('Padding token; its embedding is initialized to zero').default(1),
    bosTokenId: tokenId('Beginning-of-sequence token').default(0),
    eosTokenId: endTokensOption().default(2).describe('End-of-sequence token, or several'),
    decoderStartTokenId: tokenId('Token that the decoder starts with').default(2),
  })
  .refine((o) => o.dModel % o.encoderAttentionHeads === 0 && o.dModel % o.decoderAttentionHeads === 0, {
    path: ['dModel'],
    message: 'must be a multiple of encoderAttentionHeads and of decoderAttentionHeads',
  })

type Options = z.output<typeof options>

const WORDS = 'model.shared.weight'

/** Rows 0 and 1 of the position table are unused: positions start at 2. */
const FIRST_POSITION = 2

/** Shape of every parameter, by its name in a checkpoint. */
function shapesOf(o: Options): Record<string, readonly number[]> {
  const D = o.dModel
  const embeddings = (side: Side) => ({
    [`model.${side}.embed_positions.weight`]: [o.maxPositionEmbeddings + FIRST_POSITION, D],
    [`model.${side}.layernorm_embedding.weight`]: [D],
    [`model.${side}.layernorm_embedding.bias`]: [D],
  })
  return {
    [WORDS]: [o.vocabSize, D],
    ...embeddings('encoder'),
    ...embeddings('decoder'),
    ...encoderDecoderShapes(stackSizes(o), D),
    'classification_head.dense.weight': [D, D],
    'classification_head.dense.bias': [D],
  }
}

/** Sum of word and position embeddings, normalized: `[batch, length]` → `[batch, length, dModel]`. */
function embed(
  o: Options,
  params: Params,
  side: Side,
  ids: Tensor,
  positionIds: Tensor | undefined,
  mode: Mode,
): Tensor {
  const words = embedding(params, 'model.shared', ids)
  const scaled = o.scaleEmbedding ? mul(words, Math.sqrt(o.dModel)) : words
  const all = positionIds ?? range(0, ids.shape[1] as number, 1, 'int32')
  const positions = embedding(params, `model.${side}.embed_positions`, add(all, scalar(FIRST_POSITION, 'int32')))
  const sum = layerNorm(params, `model.${side}.layernorm_embedding`, add(scaled, positions), 1e-5)
  return dropout(sum, o.dropout, mode)
}

function forward(o: Options, params: Params, inputs: TextInputs, mode: Mode): EncoderOutputs {
  const outputs = encoderDecoder(params, inputs, mode, {
    ...stackSizes(o),
    activation: o.activationFunction,
    dropout: { added: o.dropout, wide: o.activationDropout, attention: o.attentionDropout },
    startTokenId: o.decoderStartTokenId,
    embed: (...of) => embed(o, params, ...of),
  })
  // Checkpoints for generation lack this head, and their objective does not read its output.
  if (params['classification_head.dense.weight'] === undefined) return outputs
  const read = dropout(outputs.pooled, o.classifierDropout, modeAt(mode, 2))
  return { ...outputs, pooled: tanh(linear(params, 'classification_head.dense', read)) }
}

const heads = (o: Options): Model['heads'] => ({
  'sequence-to-sequence': {
    architecture: 'BartForConditionalGeneration',
    tensors: { fixedBias: 'final_logits_bias', ...(o.separateHead ? { weight: 'lm_head.weight' } : {}) },
  },
  'sequence-classification': {
    architecture: 'BartForSequenceClassification',
    tensors: {
      'classifier.weight': 'classification_head.out_proj.weight',
      'classifier.bias': 'classification_head.out_proj.bias',
    },
  },
})

function create(o: Options): Model {
  // Readers keep a head with values of its own, so `separateHead` is found in the weights.
  const { separateHead: _, ...saved } = o
  return {
    prefix: 'model.',
    wordEmbeddings: WORDS,
    heads: heads(o),
    hiddenSize: o.dModel,
    vocabularySize: o.vocabSize,
    maximumLength: o.maxPositionEmbeddings,
    headDropout: o.classifierDropout,
    initializerRange: o.initStd,
    layers: [
      {
        name: 'embeddings',
        prefixes: ['shared.', 'encoder.embed_', 'encoder.layernorm_', 'decoder.embed_', 'decoder.layernorm_'].map(
          (name) => `model.${name}`,
        ),
      },
      ...layerGroups('encoder layer', o.encoderLayers, 'model.encoder.layers'),
      ...layerGroups('decoder layer', o.decoderLayers, 'model.decoder.layers'),
      { name: 'pooler', prefixes: ['classification_head.'] },
    ],
    unpackable: ONE_PAIR_IN_A_ROW,
    config: { model_type: 'bart', is_encoder_decoder: true, ...configFromOptions(saved) },
    init: (key) => initialParameters(shapesOf(o), key, o.initStd, { [WORDS]: o.padTokenId }),
    cache: decoderCache(stackSizes(o).decoder, o.dModel),
    forward: (params, inputs, mode) => forward(o, params, inputs, mode),
  }
}

/**
 * BART: a bidirectional encoder and an autoregressive decoder, post-norm, with learned positions and a bias in every linear layer;
 * the language-modeling head is tied to the word embeddings. `pooled` is the hidden state of the decoder at the last token, when it
 * reads the encoder's input, after a linear layer and tanh.
 */
export const bart = definePlugin({
  kind: MODEL,
  name: 'bart',
  summary: 'BART encoder–decoder with learned positions; compatible with transformers checkpoints',
  source: 'Lewis et al., BART: Denoising Sequence-to-Sequence Pre-training, 2020, section 2',
  options,
  exceptions: { packing: ONE_PAIR_IN_A_ROW },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'model bart': typeof bart
  }
}

export default bart
