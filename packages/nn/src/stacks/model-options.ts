import { scheduled } from '@attune/core'
import { z } from 'zod'
import { activationNames } from '../layers/activation.js'

/** Size option of a model, 1 to 1,000,000. @param what its description */
export const countOption = (what: string) => z.int().min(1).max(1_000_000).describe(what)

/** Dropout option of a model, in [0, 1). @param what its description */
export const probabilityOption = (what: string) => z.number().min(0).lt(1).describe(what)

/** Token id option of a model. @param what its description */
export const tokenIdOption = (what: string) => z.int().min(0).max(2_000_000).describe(what)

/** Option `eosTokenId` of a model: one or several end-of-sequence tokens. */
export const endTokensOption = () =>
  z.union([tokenIdOption('A token id'), z.array(tokenIdOption('A token id')).min(1).max(16)])

/** Option `initializerRange` of a model. */
export const initializerRangeOption = () =>
  z.number().positive().max(10).default(0.02).describe('Standard deviation of the weight initialization')

/** Options of a BERT-like encoder: the keys of BERT's `config.json` in camel case, with the defaults of BERT base. */
export const encoderOptions = {
  vocabSize: countOption('Vocabulary size').default(30522),
  hiddenSize: countOption('Hidden size; a multiple of numAttentionHeads').default(768),
  numHiddenLayers: z.int().min(1).max(1000).default(12).describe('Number of transformer layers'),
  numAttentionHeads: countOption('Attention heads per layer').default(12),
  intermediateSize: countOption('Intermediate size: width of the feed-forward layer').default(3072),
  hiddenAct: z.enum(activationNames).default('gelu').describe('Activation of the feed-forward layer'),
  hiddenDropoutProb: scheduled(
    probabilityOption('Dropout on the embeddings and on the output of each sublayer').default(0.1),
  ),
  attentionProbsDropoutProb: scheduled(probabilityOption('Dropout on the attention weights').default(0.1)),
  maxPositionEmbeddings: countOption('Maximum sequence length, in tokens').default(512),
  typeVocabSize: countOption('Number of token types (segments), such as first and second text').default(2),
  initializerRange: initializerRangeOption(),
  layerNormEps: z.number().positive().max(1).default(1e-12).describe('Epsilon of the layer norms'),
  padTokenId: z.int().min(0).default(0).describe('Padding token; its embedding is initialized to zero'),
}

/**
 * Arguments of a schema's `refine` that requires one option to be a multiple of another, such as the hidden size of the number of
 * attention heads.
 *
 * @example
 * ```ts
 * import { multipleOf } from '@attune/nn'
 * import { z } from 'zod'
 * const options = z.strictObject({ size: z.int(), heads: z.int() }).refine(...multipleOf('size', 'heads'))
 * console.log(options.safeParse({ size: 7, heads: 2 }).success) // false
 * ```
 */
export const multipleOf = <A extends string, B extends string>(
  option: A,
  of: B,
): [check: (o: Readonly<Record<A | B, number>>) => boolean, failure: { path: string[]; message: string }] => [
  (o) => o[option] % o[of] === 0,
  { path: [option], message: `must be a multiple of ${of}` },
]
