import {
  activationNames,
  endTokensOption,
  renamedRotaryOptions,
  rotaryOptions,
  tokenIdOption as tokenId,
} from '@attune/nn'
import { z } from 'zod'

const count = (what: string) => z.int().min(1).max(10_000_000).optional().describe(what)
const theta = (what: string) => z.number().positive().describe(what)
const cap = (what: string) => z.number().positive().nullable().optional().describe(what)

/** What a member of the family leaves unsaid in its `config.json`. */
interface Member {
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

const GEMMA: Member = {
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
const GEMMA2: Member = {
  ...GEMMA,
  hiddenSize: 2304,
  intermediateSize: 9216,
  numHiddenLayers: 26,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  attnLogitSoftcapping: 50,
  finalLogitSoftcapping: 30,
}
const GEMMA3: Member = {
  ...GEMMA2,
  vocabSize: 262_208,
  maxPositionEmbeddings: 131_072,
  ropeTheta: 1_000_000,
  attnLogitSoftcapping: null,
  finalLogitSoftcapping: null,
}
const MEMBERS = { gemma: GEMMA, gemma2: GEMMA2, gemma3_text: GEMMA3 } as const

/** The options that are given, over those of the member. */
const withDefaults = <O extends { readonly modelType: keyof typeof MEMBERS }>(given: O): O & Member => {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...MEMBERS[given.modelType], ...Object.fromEntries(said) } as O & Member
}

/** The options are the keys of a Hugging Face `config.json` in camel case; those without a default have their member's. */
export const options = z
  .strictObject({
    modelType: z.enum(['gemma', 'gemma2', 'gemma3_text']).default('gemma2').describe('The member of the family'),
    vocabSize: count('Entries of the vocabulary'),
    hiddenSize: count('Width of the hidden states'),
    intermediateSize: count('Width of the feed-forward layer'),
    numHiddenLayers: z.int().min(1).max(1000).optional().describe('Transformer layers'),
    numAttentionHeads: count('Query heads of a layer; a multiple of numKeyValueHeads'),
    numKeyValueHeads: count('Heads of keys and values'),
    headDim: z.int().min(2).max(1_000_000).multipleOf(2).default(256).describe('Width of a head, even'),
    hiddenAct: z
      .enum(activationNames)
      .default('gelu_pytorch_tanh')
      .describe('Activation of the feed-forward layer of the first Gemma; its gelu is the tanh one'),
    hiddenActivation: z
      .enum(activationNames)
      .default('gelu_pytorch_tanh')
      .describe('Activation of the feed-forward layer of Gemma 2 and 3'),
    maxPositionEmbeddings: count('The most tokens of a text'),
    initializerRange: z.number().positive().max(10).default(0.02).describe('Standard deviation of new weights'),
    rmsNormEps: z.number().positive().max(1).default(1e-6).describe('Added to the mean square in norms'),
    tieWordEmbeddings: z.boolean().default(true).describe('The last layer is the word embeddings once more'),
    ropeTheta: theta('Base of the wavelengths of rotary positions').optional(),
    ropeLocalBaseFreq: theta('That base in layers of Gemma 3 that have the window').default(10_000),
    ropeScaling: rotaryOptions
      .optional()
      .describe('How positions beyond those of training are reached, in older files'),
    ropeParameters: rotaryOptions
      .extend({ full_attention: rotaryOptions.optional(), sliding_attention: rotaryOptions.optional() })
      .optional()
      .describe('All of the above, in newer files; Gemma 3 has them by the type of a layer'),
    attentionBias: z.boolean().default(false).describe('Biases in the attention layers'),
    attentionDropout: z.number().min(0).lt(1).default(0).describe('Dropout of the attention weights'),
    queryPreAttnScalar: z
      .number()
      .positive()
      .default(256)
      .describe('Scores of Gemma 2 and 3 are divided by its root; those of the first Gemma by that of headDim'),
    attnLogitSoftcapping: cap('Scores of Gemma 2 stay below this; null: as they are'),
    finalLogitSoftcapping: cap('Logits of Gemma 2 and 3 stay below this; null: as they are'),
    slidingWindow: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(4096)
      .describe('A token sees itself and what stands less than this far before it'),
    slidingWindowPattern: z
      .int()
      .min(1)
      .max(1000)
      .default(6)
      .describe('Of so many layers of Gemma 3 the last has no window; of Gemma 2 it is every other'),
    layerTypes: z
      .array(z.enum(['full_attention', 'sliding_attention']))
      .max(1000)
      .optional()
      .describe('For each layer of Gemma 2 or 3, whether it has the window'),
    useBidirectionalAttention: z
      .boolean()
      .default(false)
      .describe('Tokens see both ways, half the window each: Gemma 3 as an encoder, which does not write'),
    bosTokenId: tokenId('The token that a text begins with').default(2),
    eosTokenId: endTokensOption().default(1).describe('The token, or tokens, that a text ends with'),
    padTokenId: tokenId('The token of padding, whose embedding starts at zero').default(0),
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
    message: 'is of gemma3_text only',
  })

export type Options = z.output<typeof options>

/** The options with the member's own defaults, and what they come to. */
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
    /** What the model says of itself: the options with no word of what follows. */
    said: o,
    activation: first ? legacy : o.hiddenActivation,
    /** Norms after each sub-layer too. */
    sandwich: !first,
    headNorms: third,
    scale: 1 / Math.sqrt(first ? o.headDim : o.queryPreAttnScalar),
    // Gemma 3 caps no scores, whatever its file says.
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
