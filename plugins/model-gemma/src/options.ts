import { scheduled } from '@attune/core'
import {
  activationNames,
  endTokensOption,
  renamedRotaryOptions,
  rotaryOptions,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { z } from 'zod'

const count = (description: string) => z.int().min(1).max(10_000_000).optional().describe(description)
const theta = (description: string) => z.number().positive().describe(description)
const cap = (description: string) => z.number().positive().nullable().optional().describe(description)

/** Default values of a family member for keys that its `config.json` may omit. */
interface Defaults {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHiddenLayers: number
  readonly numAttentionHeads: number
  readonly numKeyValueHeads: number
  readonly maxPositionEmbeddings: number
  readonly ropeTheta: number
  readonly attnLogitSoftcapping: number | null
  readonly finalLogitSoftcapping: number | null
}

const GEMMA: Defaults = {
  vocabSize: 256_000,
  hiddenSize: 3072,
  intermediateSize: 24_576,
  numHiddenLayers: 28,
  numAttentionHeads: 16,
  numKeyValueHeads: 16,
  maxPositionEmbeddings: 8192,
  ropeTheta: 10_000,
  attnLogitSoftcapping: null,
  finalLogitSoftcapping: null,
}
const GEMMA2: Defaults = {
  ...GEMMA,
  hiddenSize: 2304,
  intermediateSize: 9216,
  numHiddenLayers: 26,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  attnLogitSoftcapping: 50,
  finalLogitSoftcapping: 30,
}
const GEMMA3: Defaults = {
  ...GEMMA2,
  vocabSize: 262_208,
  maxPositionEmbeddings: 131_072,
  ropeTheta: 1_000_000,
  attnLogitSoftcapping: null,
  finalLogitSoftcapping: null,
}
const DEFAULTS = { gemma: GEMMA, gemma2: GEMMA2, gemma3_text: GEMMA3 } as const

/** The given options, and the family member's defaults for those that are undefined. */
const withDefaults = <O extends { readonly modelType: keyof typeof DEFAULTS }>(given: O): O & Defaults => {
  const defined = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULTS[given.modelType], ...Object.fromEntries(defined) } as O & Defaults
}

/** The options are the keys of a transformers `config.json` in camel case; those without a default have that of the family member. */
export const options = z
  .strictObject({
    modelType: z.enum(['gemma', 'gemma2', 'gemma3_text']).default('gemma2').describe('Family member'),
    vocabSize: count('Vocabulary size'),
    hiddenSize: count('Hidden size'),
    intermediateSize: count('Intermediate size: width of the feed-forward layer'),
    numHiddenLayers: z.int().min(1).max(1000).optional().describe('Number of transformer layers'),
    numAttentionHeads: count('Query heads per layer; a multiple of numKeyValueHeads'),
    numKeyValueHeads: count('Key and value heads per layer (grouped-query attention)'),
    headDim: z.int().min(2).max(1_000_000).multipleOf(2).default(256).describe('Head size; even'),
    hiddenAct: z
      .enum(activationNames)
      .default('gelu_pytorch_tanh')
      .describe('Activation of the feed-forward layer of Gemma 1; `gelu` is read as `gelu_pytorch_tanh`'),
    hiddenActivation: z
      .enum(activationNames)
      .default('gelu_pytorch_tanh')
      .describe('Activation of the feed-forward layer of Gemma 2 and 3'),
    maxPositionEmbeddings: count('Maximum sequence length, in tokens'),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe('Standard deviation of the weight initialization'),
    rmsNormEps: z.number().positive().max(1).default(1e-6).describe('Epsilon of the RMS norms'),
    tieWordEmbeddings: z.boolean().default(true).describe('Tie the language-modeling head to the word embeddings'),
    ropeTheta: theta('Base of the rotary position embeddings').optional(),
    ropeLocalBaseFreq: theta('Rotary base in the sliding-window layers of Gemma 3').default(10_000),
    ropeScaling: rotaryOptions
      .optional()
      .describe('Scaling of rotary positions for longer texts, in older configurations'),
    ropeParameters: rotaryOptions
      .extend({ full_attention: rotaryOptions.optional(), sliding_attention: rotaryOptions.optional() })
      .optional()
      .describe('All rotary settings, in newer configurations; per layer type in Gemma 3'),
    attentionBias: z.boolean().default(false).describe('Biases in the attention layers'),
    attentionDropout: scheduled(z.number().min(0).lt(1).default(0).describe('Dropout on the attention weights')),
    queryPreAttnScalar: z
      .number()
      .positive()
      .default(256)
      .describe(
        'Attention scores of Gemma 2 and 3 are divided by the square root of this, those of Gemma 1 by √headDim',
      ),
    attnLogitSoftcapping: cap('Soft cap on the attention scores of Gemma 2; null: none'),
    finalLogitSoftcapping: cap('Soft cap on the logits of Gemma 2 and 3; null: none'),
    slidingWindow: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(4096)
      .describe('Sliding-window size: a token attends to itself and to earlier tokens less than this far away'),
    slidingWindowPattern: z
      .int()
      .min(1)
      .max(1000)
      .default(6)
      .describe(
        'Every n-th layer of Gemma 3 has full attention, the others the sliding window; in Gemma 2 it is every second',
      ),
    layerTypes: z
      .array(z.enum(['full_attention', 'sliding_attention']))
      .max(1000)
      .optional()
      .describe('Attention type of each layer of Gemma 2 or 3'),
    useBidirectionalAttention: z
      .boolean()
      .default(false)
      .describe(
        'Bidirectional attention with half the window on each side: Gemma 3 as an encoder, which cannot generate text',
      ),
    bosTokenId: tokenId('Beginning-of-sequence token').default(2),
    eosTokenId: endTokensOption().default(1).describe('End-of-sequence token, or several'),
    padTokenId: tokenId('Padding token; its embedding is initialized to zero').default(0),
  })
  .refine((o) => withDefaults(o).numAttentionHeads % withDefaults(o).numKeyValueHeads === 0, {
    path: ['numAttentionHeads'],
    message: 'must be a multiple of numKeyValueHeads',
  })
  .refine((o) => o.layerTypes === undefined || o.layerTypes.length === withDefaults(o).numHiddenLayers, {
    path: ['layerTypes'],
    message: 'must have one entry for each layer',
  })
  .refine((o) => !o.useBidirectionalAttention || o.modelType === 'gemma3_text', {
    path: ['useBidirectionalAttention'],
    message: 'is supported for gemma3_text only',
  })

export type Options = z.output<typeof options>

/** The options with the defaults of the family member, and values derived from them. */
export function complete(given: Options) {
  const o = withDefaults(given)
  const [first, third] = [o.modelType === 'gemma', o.modelType === 'gemma3_text']
  const pattern = third ? o.slidingWindowPattern : 2
  const legacy = first && o.hiddenAct === 'gelu' ? 'gelu_pytorch_tanh' : o.hiddenAct
  const reach = { max_position_embeddings: o.maxPositionEmbeddings }
  const scaled = { ...reach, rope_theta: o.ropeTheta, ...renamedRotaryOptions(o.ropeScaling) }
  const { full_attention: full, sliding_attention: sliding, ...flat } = o.ropeParameters ?? {}
  const near = { ...reach, rope_theta: o.ropeLocalBaseFreq, ...sliding }
  return {
    ...o,
    /** The options for `config.json`, without the derived values. */
    given: o,
    activation: first ? legacy : o.hiddenActivation,
    /** A norm after each sublayer, in addition to the one before it. */
    sandwich: !first,
    headNorms: third,
    scale: 1 / Math.sqrt(first ? o.headDim : o.queryPreAttnScalar),
    // Gemma 3 does not cap attention scores, even if its configuration has a value.
    scoreCap: o.modelType === 'gemma2' ? o.attnLogitSoftcapping : null,
    logitCap: first ? null : o.finalLogitSoftcapping,
    rotary: third
      ? { full: { ...scaled, ...full }, sliding: near }
      : { full: { ...scaled, ...flat }, sliding: undefined },
    causal: !o.useBidirectionalAttention,
    window: o.useBidirectionalAttention ? Math.floor(o.slidingWindow / 2) + 1 : o.slidingWindow,
    slides: (layer: number): boolean =>
      !first &&
      (o.layerTypes === undefined ? (layer + 1) % pattern !== 0 : o.layerTypes[layer] === 'sliding_attention'),
  }
}
