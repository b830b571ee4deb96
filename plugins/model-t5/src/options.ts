import { scheduled } from '@attune/core'
import { activationNames, endTokensOption, tokenIdOption as tokenId } from '@attune/nn'
import { z } from 'zod'

const count = (description: string) => z.int().min(1).max(10_000_000).describe(description)
const layers = z.int().min(1).max(1000)

/** An activation, or with the prefix `gated-` one that gates a second projection. */
const projections = [...activationNames, ...activationNames.map((name) => `gated-${name}`)]

/** The options are the keys of a transformers `config.json` in camel case, with the defaults of T5 small. */
export const options = z
  .strictObject({
    modelType: z.enum(['t5', 'mt5']).default('t5').describe('Family member'),
    vocabSize: count('Vocabulary size').default(32128),
    nPositions: count('Maximum sequence length, in tokens; positions are relative, so it only bounds memory').default(
      512,
    ),
    dModel: count('Hidden size').default(512),
    dKv: count('Head size').default(64),
    dFf: count('Intermediate size: width of the feed-forward layer').default(2048),
    numLayers: layers.default(6).describe('Number of encoder layers'),
    numDecoderLayers: layers.optional().describe('Number of decoder layers. Default: numLayers'),
    numHeads: count('Attention heads per layer').default(8),
    relativeAttentionNumBuckets: z
      .int()
      .min(4)
      .max(100_000)
      .multipleOf(2)
      .default(32)
      .describe('Number of buckets of relative positions'),
    relativeAttentionMaxDistance: z
      .int()
      .min(3)
      .max(1_000_000)
      .default(128)
      .describe('Distance beyond which all tokens share a bucket; more than half the number of buckets'),
    feedForwardProj: z
      .enum(projections)
      .default('relu')
      .describe('Activation of the feed-forward layer; with the prefix gated- it gates a second projection'),
    dropoutRate: scheduled(z.number().min(0).lt(1).default(0.1).describe('Dropout probability')),
    layerNormEpsilon: z.number().positive().max(1).default(1e-6).describe('Epsilon of the RMS norms'),
    initializerFactor: z
      .number()
      .positive()
      .max(10)
      .default(1)
      .describe('Factor on the standard deviations of the weight initialization'),
    tieWordEmbeddings: z
      .boolean()
      .default(true)
      .describe('Tie the language-modeling head to the word embeddings; never in mT5'),
    scaleDecoderOutputs: z
      .boolean()
      .optional()
      .describe('Divide the last hidden states by √dModel. Default: tieWordEmbeddings'),
    decoderStartTokenId: tokenId('Token that the decoder starts with').default(0),
    padTokenId: tokenId('Padding token').default(0),
    eosTokenId: endTokensOption().optional().describe('End-of-sequence token, or several'),
  })
  .refine((o) => o.relativeAttentionMaxDistance > o.relativeAttentionNumBuckets / 2, {
    path: ['relativeAttentionMaxDistance'],
    message: 'must be more than half of relativeAttentionNumBuckets',
  })

export type Options = z.output<typeof options>

/** The options with values derived from them. */
export function complete(o: Options) {
  const gated = o.feedForwardProj.startsWith('gated-')
  const name = gated ? o.feedForwardProj.slice('gated-'.length) : o.feedForwardProj
  const scaled = o.modelType === 't5' && (o.scaleDecoderOutputs ?? o.tieWordEmbeddings)
  return {
    ...o,
    numDecoderLayers: o.numDecoderLayers ?? o.numLayers,
    gated,
    // Configurations say "gated-gelu", but the models were trained with its tanh approximation.
    activation: o.feedForwardProj === 'gated-gelu' ? 'gelu_new' : name,
    scaled,
    // Newer configurations declare all heads tied. Tied heads are the scaled ones; T5 v1.1 and mT5 have neither.
    tied: scaled && o.tieWordEmbeddings,
  }
}

/** Result of {@link complete}. */
export type Shape = ReturnType<typeof complete>
