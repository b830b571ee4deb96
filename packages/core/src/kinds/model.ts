import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kind } from '../kind.js'
import type { Key } from '../random.js'
import type { Params, Tree } from '../tree.js'

/**
 * Randomness inside a step. `seed` is an int32 tensor `[2]`, so that a new seed needs no new trace; `stream` tells apart
 * the places that draw from it.
 */
export interface StepKey {
  readonly seed: Tensor
  readonly stream: number
}

/** What a forward pass can give besides its result. */
export type Kept = 'hiddenStates' | 'attentions'

/**
 * Training or inference mode of a forward pass. Dropout is active only in training, with randomness from `key`. With
 * `gradientCheckpointing`, layers store no intermediate values for the backward pass and compute them again there; it has no
 * effect with `keep`, which names further outputs. `launchBound` is set by the engine: one large kernel is then faster than
 * several small ones of which some could be skipped.
 */
export type Mode = {
  readonly keep?: readonly Kept[]
  readonly launchBound?: boolean
  /** Scheduled options by path, as {@link Hyper.scheduled}; in training. */
  readonly scheduled?: Readonly<Record<string, Tensor>>
} & (
  | { readonly training: false }
  | { readonly training: true; readonly key: StepKey; readonly gradientCheckpointing?: boolean }
)

/** Parameters that belong to one depth of a model, from the input up. */
export interface LayerGroup {
  readonly name: string
  /** A parameter belongs to the group when its name starts with one of these. */
  readonly prefixes: readonly string[]
}

/**
 * What a decoder keeps of the tokens that it has read, so that it need not read them again, for each layer, by name: keys and
 * values `[batch, heads, capacity, headSize]` or, of a recurrent network, states `[batch, hidden]`. Rows come first.
 */
export type Cache = Readonly<Record<string, Tensor>>

/**
 * What a model reads: int32 tensors `[batch, length]`. `attentionMask` is 1 for a token and 0 for padding; with a cache it
 * covers the slots of the cache, `[batch, capacity]`, of which the tokens take `length` from `cacheStart` on.
 */
export interface TextInputs extends Record<string, Tree> {
  readonly inputIds: Tensor
  readonly attentionMask: Tensor
  readonly tokenTypeIds: Tensor
  /** The place of each token in its text, from 0. Default: as the family counts. */
  readonly positionIds?: Tensor
  /** Which of several texts packed into one row a token belongs to; tokens see only their own text. */
  readonly segmentIds?: Tensor
  readonly cache?: Cache
  /** `[]`, int32. */
  readonly cacheStart?: Tensor
  /** 1 where a token (second) must not look at another (third), whatever else it may, `[batch, length, length]`. */
  readonly permutationMask?: Tensor
  /**
   * 1 at the place (third) that a target (second) is to be predicted for, `[batch, targets, length]`; zeros for padding. A
   * model with a stream of queries then gives the states of that stream.
   */
  readonly targetMapping?: Tensor
  /** What the decoder of an encoder–decoder reads; `attentionMask` and `inputIds` are then its encoder's. */
  readonly decoderInputIds?: Tensor
  readonly decoderAttentionMask?: Tensor
  /** What the encoder gave before, `[batch, length, hidden]`, so that it is not run again. */
  readonly encoderStates?: Tensor
}

/** What a model gives. */
export interface EncoderOutputs extends Record<string, Tree> {
  /** `[batch, length, hidden]`; of the decoder, where there are two stacks; of the targets, where these are mapped. */
  readonly lastHiddenState: Tensor
  /** One vector a text, `[batch, hidden]`: what the family's classification head reads. */
  readonly pooled: Tensor
  /** The states before the first layer and after each, `[batch, length, hidden]`, by place; when kept. */
  readonly hiddenStates?: Readonly<Record<string, Tensor>>
  /** The attention weights of each layer, `[batch, heads, queries, keys]`, by place; when kept. */
  readonly attentions?: Readonly<Record<string, Tensor>>
  /**
   * The same of the encoder of an encoder–decoder, where it was run; and the weights with which the decoder's layers look at
   * what it gave, `[batch, heads, queries, keys]`.
   */
  readonly encoderHiddenStates?: Readonly<Record<string, Tensor>>
  readonly encoderAttentions?: Readonly<Record<string, Tensor>>
  readonly crossAttentions?: Readonly<Record<string, Tensor>>
  /** The cache that was given, with these tokens in it. */
  readonly cache?: Cache
  /** What the encoder of an encoder–decoder gave, `[batch, length, hidden]`. */
  readonly encoderStates?: Tensor
  /**
   * Logits of every token of the vocabulary, `[batch, length, vocabulary]`, where they are more than a head on the last
   * states: with copying, say. They take the place of the head's.
   */
  readonly tokenLogits?: Tensor
}

/** How checkpoints of a family hold the head for a task. */
export interface Head {
  /** The class that reads such a checkpoint, for `config.json`. */
  readonly architecture: string
  /** The checkpoint's name of each tensor by the objective's name of it; the head has no other tensors. */
  readonly tensors: Readonly<Record<string, string>>
  /** The activation in it; default: none that the objective does not define. */
  readonly activation?: string
  /** What is added to the variance in its norm. */
  readonly epsilon?: number
  /** The width of its last states, where it is not that of the model. */
  readonly width?: number
  /** What its logits are multiplied by. */
  readonly scale?: number
  /** Logits are brought into (−softcap, softcap) by `softcap · tanh(logits / softcap)`. */
  readonly softcap?: number
}

/** A model inside another one, which begins from a checkpoint of its own and stays as it is. */
export interface FrozenEncoder {
  readonly model: Model
  /** What stands before its own names among the parameters of the other. */
  readonly prefix: string
  readonly reads: 'lastHiddenState' | 'pooled'
}

/** An architecture: a function from parameters and inputs to outputs. It holds no weights. */
export interface Model<I extends Tree = TextInputs, O extends Tree = EncoderOutputs> {
  /**
   * What stands before a parameter's name in a checkpoint of the model with a head, as in `bert.`. Parameters without it
   * make `pooled` and begin anew where a checkpoint lacks them.
   */
  readonly prefix: string
  /** The parameter that holds the word embeddings, `[vocabulary, width]`, for a head to share. */
  readonly wordEmbeddings: string
  /** How checkpoints hold the heads of this family, by the name of the objective. */
  readonly heads: Readonly<Record<string, Head>>
  /** Whether weights of its dense layers are `[in, out]`, as in GPT-2's checkpoints, rather than `[out, in]`. */
  readonly inputFirst?: boolean
  /** The width of the hidden states, for a head to attach to. */
  readonly hiddenSize: number
  /** Entries of its vocabulary: the rows of its word embeddings. Left out by a model that takes any token id. */
  readonly vocabularySize?: number
  /** The maximum number of tokens. */
  readonly maximumLength: number
  /** The probability of dropout that a head on this model should use, in [0, 1); a tensor where it follows a schedule. */
  readonly headDropout: number | Tensor
  /** The standard deviation of new weights, of a head's too. */
  readonly initializerRange: number
  /** The groups in depth order: embeddings first, head last. */
  readonly layers: readonly LayerGroup[]
  /** The model inside whose states it reads, if there is one. Nothing trains it. */
  readonly encoder?: FrozenEncoder
  /** Why several texts must not be packed into one row, of a family that does not read them as it reads each alone. */
  readonly unpackable?: string
  /** The content of the `config.json` that describes this model to other libraries. */
  readonly config: Readonly<Record<string, unknown>>
  /** New parameters, named as in the Hugging Face checkpoint. */
  init(key: Key): Params
  /** Whether a cache sums up what was read, as in recurrent networks: then the last tokens cannot be taken back. */
  readonly recurrent?: boolean
  /** An empty cache; only of models that go on writing. `capacity` is the most tokens of a text. */
  cache?(batch: number, capacity: number): Cache
  forward(params: Params, inputs: I, mode: Mode): O
}

const part = z.union([z.string(), z.looseObject({ use: z.unknown() })])

/** Options of every model. */
const common = z.looseObject({
  from: z
    .string()
    .optional()
    .describe('A saved model to start from: a folder, a GGUF file, or a repository on the Hub'),
  partial: z
    .boolean()
    .optional()
    .describe('Start although parameters are missing from the saved model; they begin at random'),
  resizeEmbeddings: z.boolean().optional().describe('Let the saved embeddings grow to the size of the vocabulary'),
  embeddings: z.string().optional().describe('A file of word vectors that the word embeddings start from'),
  encoder: part.optional().describe('A frozen model whose states this one reads: `{ use, from }`'),
})

/** An architecture. */
export const MODEL = kind<Model>('model', 'one', { options: common })

/** A model whose states another one reads: its plugins are those of {@link MODEL}. */
export const ENCODER = kind<Model>('encoder', 'many')
