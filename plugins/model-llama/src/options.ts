import { scheduled } from '@attune/core'
import {
  activationNames,
  endTokensOption,
  renamedRotaryOptions,
  rotaryOptions,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { z } from 'zod'

const count = (description: string) => z.int().min(1).max(10_000_000).describe(description)

/** The options are the keys of a transformers `config.json` in camel case. */
export const options = z
  .strictObject({
    modelType: z.enum(['llama', 'mistral', 'qwen2', 'qwen3']).default('llama').describe('Family member'),
    vocabSize: count('Vocabulary size').default(32000),
    hiddenSize: count('Hidden size').default(4096),
    intermediateSize: count('Intermediate size: width of the feed-forward layer').default(11008),
    numHiddenLayers: z.int().min(1).max(1000).default(32).describe('Number of transformer layers'),
    numAttentionHeads: count('Query heads per layer; a multiple of numKeyValueHeads').default(32),
    numKeyValueHeads: count(
      'Key and value heads per layer (grouped-query attention). Default: numAttentionHeads',
    ).optional(),
    headDim: count('Head size; even. Default: hiddenSize / numAttentionHeads, 128 for Qwen3').optional(),
    hiddenAct: z.enum(activationNames).default('silu').describe('Activation of the feed-forward layer'),
    maxPositionEmbeddings: count('Maximum sequence length, in tokens').default(2048),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    rmsNormEps: z.number().positive().max(1).default(1e-6).describe('Epsilon of the RMS norms'),
    tieWordEmbeddings: z.boolean().default(false).describe('Tie the language-modeling head to the word embeddings'),
    ropeTheta: z.number().positive().default(10_000).describe('Base of the rotary position embeddings'),
    ropeScaling: rotaryOptions
      .optional()
      .describe('Scaling of rotary positions for longer texts, in older configurations'),
    ropeParameters: rotaryOptions.optional().describe('Both rotary settings, in newer configurations'),
    attentionBias: z
      .boolean()
      .default(false)
      .describe('Biases in the attention layers; Qwen2 always has them for queries, keys and values'),
    mlpBias: z.boolean().default(false).describe('Biases in the feed-forward layers'),
    attentionDropout: scheduled(z.number().min(0).lt(1).default(0).describe('Dropout on the attention weights')),
    slidingWindow: count(
      'Sliding-window size: a token attends to itself and to earlier tokens less than this far away',
    ).optional(),
    useSlidingWindow: z.boolean().default(false).describe('Use the sliding window in Qwen models'),
    maxWindowLayers: z
      .int()
      .min(0)
      .default(28)
      .describe('Number of lower layers of a Qwen model without the sliding window'),
    layerTypes: z
      .array(z.enum(['full_attention', 'sliding_attention']))
      .max(1000)
      .optional()
      .describe('Attention type of each layer'),
    bosTokenId: tokenId('Beginning-of-sequence token').optional(),
    eosTokenId: endTokensOption().optional().describe('End-of-sequence token, or several'),
    padTokenId: tokenId('Padding token; its embedding is initialized to zero').optional(),
  })
  .refine((o) => o.numAttentionHeads % (o.numKeyValueHeads ?? o.numAttentionHeads) === 0, {
    path: ['numAttentionHeads'],
    message: 'must be a multiple of numKeyValueHeads',
  })
  .refine((o) => Number.isInteger((o.headDim ?? o.hiddenSize / o.numAttentionHeads) / 2), {
    path: ['headDim'],
    message: 'must be even: hiddenSize / numAttentionHeads, or headDim where given',
  })
  .refine((o) => o.layerTypes === undefined || o.layerTypes.length === o.numHiddenLayers, {
    path: ['layerTypes'],
    message: 'must have one entry for each layer',
  })

export type Options = z.output<typeof options>

/** The options with the defaults of the family member, and values derived from them. */
export function complete(o: Options) {
  const qwen = o.modelType === 'qwen2' || o.modelType === 'qwen3'
  const window = qwen && !o.useSlidingWindow ? undefined : o.modelType === 'llama' ? undefined : o.slidingWindow
  const slides = (layer: number): boolean => {
    if (window === undefined) return false
    if (o.layerTypes !== undefined) return o.layerTypes[layer] === 'sliding_attention'
    return !qwen || layer >= o.maxWindowLayers
  }
  const rotary = {
    rope_theta: o.ropeTheta,
    max_position_embeddings: o.maxPositionEmbeddings,
    ...renamedRotaryOptions(o.ropeScaling),
    ...o.ropeParameters,
  }
  return {
    ...o,
    numKeyValueHeads: o.numKeyValueHeads ?? o.numAttentionHeads,
    headDim: o.headDim ?? (o.modelType === 'qwen3' ? 128 : o.hiddenSize / o.numAttentionHeads),
    biases:
      o.modelType === 'qwen2' ? { input: true, output: false } : { input: o.attentionBias, output: o.attentionBias },
    headNorms: o.modelType === 'qwen3',
    rotary,
    /** Maximum sequence length: rotary positions of type `dynamic` exceed the length of pretraining. */
    reach:
      rotary.rope_type === 'dynamic'
        ? Math.floor(o.maxPositionEmbeddings * (rotary.factor ?? 1))
        : o.maxPositionEmbeddings,
    window,
    slides,
  }
}
