import { scheduled } from '@attune/core'
import { activationNames, probabilityOption as probability, rotaryOptions, tokenIdOption as tokenId } from '@attune/nn'
import { z } from 'zod'

const count = (description: string) => z.int().min(1).max(10_000_000).describe(description)
const theta = (description: string) => z.number().positive().describe(description)
const biases = (description: string) => z.boolean().default(false).describe(description)

/** The options are the keys of a transformers `config.json` in camel case, with the same defaults. */
export const options = z
  .strictObject({
    vocabSize: count('Vocabulary size').default(50_368),
    hiddenSize: count('Hidden size; the head size, hiddenSize / numAttentionHeads, must be even').default(768),
    intermediateSize: count('Intermediate size: width of the feed-forward layer and of its gate').default(1152),
    numHiddenLayers: z.int().min(1).max(1000).default(22).describe('Number of transformer layers'),
    numAttentionHeads: count('Attention heads per layer').default(12),
    hiddenActivation: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    maxPositionEmbeddings: count('Maximum sequence length, in tokens').default(8192),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    normEps: z.number().positive().max(1).default(1e-5).describe('Epsilon of the layer norms'),
    normBias: biases('Biases in layer norms'),
    attentionBias: biases('Biases in attention layers'),
    mlpBias: biases('Biases in feed-forward layers'),
    classifierBias: biases('Bias in the linear layer of the heads'),
    decoderBias: z.boolean().default(true).describe('Bias in the last layer of the masked-language-modeling head'),
    embeddingDropout: scheduled(probability('Dropout on the embeddings').default(0)),
    attentionDropout: scheduled(probability('Dropout on the attention weights and on the attention output').default(0)),
    mlpDropout: scheduled(probability('Dropout inside the feed-forward layers').default(0)),
    classifierDropout: scheduled(probability('Dropout before the last layer of the head').default(0)),
    classifierActivation: z.enum(activationNames).default('gelu').describe('Activation in heads'),
    classifierPooling: z
      .enum(['cls', 'mean'])
      .default('cls')
      .describe('Pooling: the first token (cls), or the mean over all tokens'),
    globalAttnEveryNLayers: z
      .int()
      .min(1)
      .max(1000)
      .default(3)
      .describe('Every n-th layer, from the first, has global attention, the others local attention'),
    layerTypes: z
      .array(z.enum(['full_attention', 'sliding_attention']))
      .max(1000)
      .optional()
      .describe('Attention type of each layer, in newer configurations'),
    localAttention: count('Window size of local attention, half of it on either side').default(128),
    globalRopeTheta: theta('Rotary base in layers with global attention').default(160_000),
    localRopeTheta: theta('Rotary base in layers with local attention').default(10_000),
    ropeParameters: z
      .strictObject({ full_attention: rotaryOptions.optional(), sliding_attention: rotaryOptions.optional() })
      .optional()
      .describe('Both rotary settings, in newer configurations'),
    tieWordEmbeddings: z
      .literal(true)
      .default(true)
      .describe('Tie the masked-language-modeling head to the word embeddings'),
    padTokenId: tokenId('Padding token; its embedding is initialized to zero').default(50_283),
    bosTokenId: tokenId('Beginning-of-sequence token').default(50_281),
    eosTokenId: tokenId('End-of-sequence token').default(50_282),
    clsTokenId: tokenId('Classification token, the first of a text').default(50_281),
    sepTokenId: tokenId('Separator token between two texts').default(50_282),
  })
  .refine((o) => Number.isInteger(o.hiddenSize / o.numAttentionHeads / 2), {
    path: ['hiddenSize'],
    message: 'must be numAttentionHeads times an even number',
  })
  .refine((o) => o.layerTypes === undefined || o.layerTypes.length === o.numHiddenLayers, {
    path: ['layerTypes'],
    message: 'must have one entry for each layer',
  })

export type Options = z.output<typeof options>
