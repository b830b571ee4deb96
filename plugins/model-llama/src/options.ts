import {
  activationNames,
  endTokensOption,
  renamedRotaryOptions,
  rotaryOptions,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { z } from 'zod'

const count = (what: string) => z.int().min(1).max(10_000_000).describe(what)

/** The options are the keys of a Hugging Face `config.json` in camel case. */
export const options = z
  .strictObject({
    modelType: z.enum(['llama', 'mistral', 'qwen2', 'qwen3']).default('llama').describe('The member of the family'),
    vocabSize: count('Entries of the vocabulary').default(32000),
    hiddenSize: count('Width of the hidden states').default(4096),
    intermediateSize: count('Width of the feed-forward layer').default(11008),
    numHiddenLayers: z.int().min(1).max(1000).default(32).describe('Transformer layers'),
    numAttentionHeads: count('Query heads of a layer; a multiple of numKeyValueHeads').default(32),
    numKeyValueHeads: count('Heads of keys and values; the default is numAttentionHeads').optional(),
    headDim: count('Width of a head, even; the default is hiddenSize / numAttentionHeads').optional(),
    hiddenAct: z.enum(activationNames).default('silu').describe('Activation of the feed-forward layer'),
    maxPositionEmbeddings: count('The most tokens of a text').default(2048),
    initializerRange: z.number().positive().max(10).default(0.02).describe('Standard deviation of new weights'),
    rmsNormEps: z.number().positive().max(1).default(1e-6).describe('Added to the mean square in norms'),
    tieWordEmbeddings: z.boolean().default(false).describe('The last layer is the word embeddings once more'),
    ropeTheta: z.number().positive().default(10_000).describe('Base of the wavelengths of rotary positions'),
    ropeScaling: rotaryOptions
      .optional()
      .describe('How positions beyond those of training are reached, in older files'),
    ropeParameters: rotaryOptions.optional().describe('Both of the above, in newer files'),
    attentionBias: z.boolean().default(false).describe('Biases in the attention layers; Qwen2 has them anyway'),
    mlpBias: z.boolean().default(false).describe('Biases in the feed-forward layers'),
    attentionDropout: z.number().min(0).lt(1).default(0).describe('Dropout of the attention weights'),
    slidingWindow: count('A token sees itself and what stands less than this far before it').optional(),
    useSlidingWindow: z.boolean().default(false).describe('Whether Qwen models use the window at all'),
    maxWindowLayers: z.int().min(0).default(28).describe('Layers of a Qwen model below the first with a window'),
    layerTypes: z
      .array(z.enum(['full_attention', 'sliding_attention']))
      .max(1000)
      .optional()
      .describe('For each layer, whether it has the window'),
    bosTokenId: tokenId('The token that a text begins with').optional(),
    eosTokenId: endTokensOption().optional().describe('The token, or tokens, that a text ends with'),
    padTokenId: tokenId('The token of padding, whose embedding starts at zero').optional(),
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

/** The options with what the members of the family leave unsaid. */
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
    /** The most tokens of a text: positions of type `dynamic` reach beyond those of training. */
    reach:
      rotary.rope_type === 'dynamic'
        ? Math.floor(o.maxPositionEmbeddings * (rotary.factor ?? 1))
        : o.maxPositionEmbeddings,
    window,
    slides,
  }
}
