import { activationNames, probabilityOption as probability, rotaryOptions, tokenIdOption as tokenId } from '@attune/nn'
import { z } from 'zod'

const count = (what: string) => z.int().min(1).max(10_000_000).describe(what)
const theta = (what: string) => z.number().positive().describe(what)
const biases = (what: string) => z.boolean().default(false).describe(what)

/** The options are the keys of a Hugging Face `config.json` in camel case, with the same defaults. */
export const options = z
  .strictObject({
    vocabSize: count('Entries of the vocabulary').default(50_368),
    hiddenSize: count('Width of the hidden states; of a head it is this by numAttentionHeads, and even').default(768),
    intermediateSize: count('Width of the feed-forward layer, of its gate too').default(1152),
    numHiddenLayers: z.int().min(1).max(1000).default(22).describe('Transformer layers'),
    numAttentionHeads: count('Attention heads of a layer').default(12),
    hiddenActivation: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
    maxPositionEmbeddings: count('The most tokens of a text').default(8192),
    initializerRange: z.number().positive().max(10).default(0.02).describe('Standard deviation of new weights'),
    normEps: z.number().positive().max(1).default(1e-5).describe('Added to the variance in layer norms'),
    normBias: biases('Biases in layer norms'),
    attentionBias: biases('Biases in attention layers'),
    mlpBias: biases('Biases in feed-forward layers'),
    classifierBias: biases('A bias in the dense layer of heads'),
    decoderBias: z.boolean().default(true).describe('A bias in the last layer of masked language modelling'),
    embeddingDropout: probability('Dropout of the embeddings').default(0),
    attentionDropout: probability('Dropout of the attention weights, and of what attention adds').default(0),
    mlpDropout: probability('Dropout inside the feed-forward layers').default(0),
    classifierDropout: probability('Dropout before the last layer of a head').default(0),
    classifierActivation: z.enum(activationNames).default('gelu').describe('Activation in heads'),
    classifierPooling: z
      .enum(['cls', 'mean'])
      .default('cls')
      .describe('What a text is read from: its first token, or all'),
    globalAttnEveryNLayers: z
      .int()
      .min(1)
      .max(1000)
      .default(3)
      .describe('Of so many layers the first sees the whole text, the others what is near'),
    layerTypes: z
      .array(z.enum(['full_attention', 'sliding_attention']))
      .max(1000)
      .optional()
      .describe('The same for each layer, in newer files'),
    localAttention: count('Width of what is near: half of it to either side').default(128),
    globalRopeTheta: theta('Base of the wavelengths of rotary positions in layers that see all').default(160_000),
    localRopeTheta: theta('That base in the other layers').default(10_000),
    ropeParameters: z
      .strictObject({ full_attention: rotaryOptions.optional(), sliding_attention: rotaryOptions.optional() })
      .optional()
      .describe('Both of the above, in newer files'),
    tieWordEmbeddings: z.literal(true).default(true).describe('The last layer is the word embeddings once more'),
    padTokenId: tokenId('The token of padding, whose embedding starts at zero').default(50_283),
    bosTokenId: tokenId('The token that a text begins with').default(50_281),
    eosTokenId: tokenId('The token that a text ends with').default(50_282),
    clsTokenId: tokenId('The first token, from which a text is classified').default(50_281),
    sepTokenId: tokenId('The token between two texts').default(50_282),
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
