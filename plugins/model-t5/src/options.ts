import { activationNames, endTokensOption, tokenIdOption as tokenId } from '@attune/nn'
import { z } from 'zod'

const count = (what: string) => z.int().min(1).max(10_000_000).describe(what)
const layers = z.int().min(1).max(1000)

/** An activation, or with `gated-` before it one that gates a second product. */
const projections = [...activationNames, ...activationNames.map((name) => `gated-${name}`)]

/** The options are the keys of a Hugging Face `config.json` in camel case, with the defaults of T5 small. */
export const options = z
  .strictObject({
    modelType: z.enum(['t5', 'mt5']).default('t5').describe('The member of the family'),
    vocabSize: count('Entries of the vocabulary').default(32128),
    nPositions: count('The most tokens of a text; positions are relative, so it bounds memory only').default(512),
    dModel: count('Width of the hidden states').default(512),
    dKv: count('Width of an attention head').default(64),
    dFf: count('Width of the feed-forward layer').default(2048),
    numLayers: layers.default(6).describe('Layers of the encoder'),
    numDecoderLayers: layers.optional().describe('Layers of the decoder; the default is numLayers'),
    numHeads: count('Attention heads of a layer').default(8),
    relativeAttentionNumBuckets: z
      .int()
      .min(4)
      .max(100_000)
      .multipleOf(2)
      .default(32)
      .describe('Classes of distances between tokens'),
    relativeAttentionMaxDistance: z
      .int()
      .min(3)
      .max(1_000_000)
      .default(128)
      .describe('Distance from which on all tokens are in the same class; more than half the buckets'),
    feedForwardProj: z
      .enum(projections)
      .default('relu')
      .describe('Activation of the feed-forward layer; with gated- it multiplies a second product'),
    dropoutRate: z.number().min(0).lt(1).default(0.1).describe('Probability of dropout'),
    layerNormEpsilon: z.number().positive().max(1).default(1e-6).describe('Added to the mean square in norms'),
    initializerFactor: z.number().positive().max(10).default(1).describe('What deviations of new weights are times'),
    tieWordEmbeddings: z
      .boolean()
      .default(true)
      .describe('The last layer is the word embeddings once more; never in mT5'),
    scaleDecoderOutputs: z
      .boolean()
      .optional()
      .describe('Whether the last states are divided by the root of dModel; the default is tieWordEmbeddings'),
    decoderStartTokenId: tokenId('The token that the decoder begins with').default(0),
    padTokenId: tokenId('The token of padding').default(0),
    eosTokenId: endTokensOption().optional().describe('The token, or tokens, that a text ends with'),
  })
  .refine((o) => o.relativeAttentionMaxDistance > o.relativeAttentionNumBuckets / 2, {
    path: ['relativeAttentionMaxDistance'],
    message: 'must be more than half of relativeAttentionNumBuckets',
  })

export type Options = z.output<typeof options>

/** The options with what follows from them. */
export function complete(o: Options) {
  const gated = o.feedForwardProj.startsWith('gated-')
  const name = gated ? o.feedForwardProj.slice('gated-'.length) : o.feedForwardProj
  const scaled = o.modelType === 't5' && (o.scaleDecoderOutputs ?? o.tieWordEmbeddings)
  return {
    ...o,
    numDecoderLayers: o.numDecoderLayers ?? o.numLayers,
    gated,
    // Files say "gated-gelu", and the models were trained with its approximation.
    activation: o.feedForwardProj === 'gated-gelu' ? 'gelu_new' : name,
    scaled,
    // Files of later versions say that all heads are tied. Those that are, are scaled: in T5 v1.1 and mT5 none is either.
    tied: scaled,
  }
}

/** What {@link complete} gives. */
export type Shape = ReturnType<typeof complete>
