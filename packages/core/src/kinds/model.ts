import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kind } from '../kind.js'
import type { Key } from '../random.js'
import type { Params, Tree } from '../tree.js'

/**
 * Random key inside a step. `seed` is an int32 tensor `[2]`, so that a new seed needs no new trace; `stream` identifies the
 * operation that samples from it.
 */
export interface StepKey {
  readonly seed: Tensor
  readonly stream: number
}

/** Additional outputs of a forward pass; `logits`: of the head of an objective that returns only its losses, for distillation. */
export type Kept = 'hiddenStates' | 'attentions' | 'logits'

/**
 * Training or inference mode of a forward pass. Dropout is active only in training and uses `key`. With
 * `gradientCheckpointing`, layers do not store intermediate values for the backward pass but compute them again; it has no effect
 * with `keep`, which lists additional outputs. `launchBound` is set by the engine: one large kernel is then faster than several
 * small ones, even if some of these could be skipped.
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

/** The parameters at one depth of a model. */
export interface LayerGroup {
  readonly name: string
  /** Name prefixes: a parameter belongs to the group if its name starts with one of them. */
  readonly prefixes: readonly string[]
}

/**
 * KV cache of a decoder, by name and layer: keys and values `[batch, heads, capacity, headSize]`, or, for a recurrent network,
 * states `[batch, hidden]`. The batch is always the first dimension.
 */
export type Cache = Readonly<Record<string, Tensor>>

/**
 * Inputs of a text model: int32 tensors `[batch, length]`. `attentionMask` is 1 for tokens and 0 for padding. With a cache it
 * covers the cache slots, `[batch, capacity]`; the tokens occupy `length` slots from `cacheStart` on. Without `cacheStart` the cache
 * is full: the tokens are appended to it, and `attentionMask` covers both.
 */
export interface TextInputs extends Record<string, Tree> {
  readonly inputIds: Tensor
  readonly attentionMask: Tensor
  readonly tokenTypeIds: Tensor
  /** Position of each token in its text, from 0. Default: the numbering of the model family. */
  readonly positionIds?: Tensor
  /** Index of the packed sequence that a token belongs to; tokens attend only to their own sequence. */
  readonly segmentIds?: Tensor
  readonly cache?: Cache
  /** `[]`, int32. */
  readonly cacheStart?: Tensor
  /** `[batch, length, length]`: 1 where the query (second axis) must not attend to the key (third axis). */
  readonly permutationMask?: Tensor
  /**
   * `[batch, targets, length]`: 1 at the position (third axis) predicted by a target (second axis), zeros for padding. A model
   * with a query stream (XLNet) then returns the states of that stream.
   */
  readonly targetMapping?: Tensor
  /** Inputs of the decoder of an encoder–decoder; `inputIds` and `attentionMask` are then those of its encoder. */
  readonly decoderInputIds?: Tensor
  readonly decoderAttentionMask?: Tensor
  /** Precomputed encoder output, `[batch, length, hidden]`: the encoder is not run again. */
  readonly encoderStates?: Tensor
}

/** Outputs of a text model. */
export interface EncoderOutputs extends Record<string, Tree> {
  /** `[batch, length, hidden]`; the decoder's in an encoder–decoder; the targets' if `targetMapping` is given. */
  readonly lastHiddenState: Tensor
  /** One vector per text, `[batch, hidden]`: the input of the family's classification head. */
  readonly pooled: Tensor
  /** Hidden states before the first layer and after each layer, `[batch, length, hidden]`, by index; if kept. */
  readonly hiddenStates?: Readonly<Record<string, Tensor>>
  /** Attention weights of each layer, `[batch, heads, queries, keys]`, by index; if kept. */
  readonly attentions?: Readonly<Record<string, Tensor>>
  /**
   * Hidden states and attention weights of the encoder of an encoder–decoder, if it was run, and the cross-attention weights of
   * the decoder layers, `[batch, heads, queries, keys]`.
   */
  readonly encoderHiddenStates?: Readonly<Record<string, Tensor>>
  readonly encoderAttentions?: Readonly<Record<string, Tensor>>
  readonly crossAttentions?: Readonly<Record<string, Tensor>>
  /** The given cache, with these tokens added. */
  readonly cache?: Cache
  /** Output of the encoder of an encoder–decoder, `[batch, length, hidden]`. */
  readonly encoderStates?: Tensor
  /**
   * Vocabulary logits, `[batch, length, vocabulary]`, of a model that computes them itself instead of by a head on the last hidden
   * state (a copy mechanism, for example). They replace those of the head.
   */
  readonly tokenLogits?: Tensor
}

/** Layout of a task head in the checkpoints of a family. */
export interface Head {
  /** The transformers class of such a checkpoint, for `config.json`. */
  readonly architecture: string
  /** Checkpoint name of each tensor, by the objective's name; the head has no other tensors. */
  readonly tensors: Readonly<Record<string, string>>
  /** The activation function of the head. Default: the one that the objective defines, if any. */
  readonly activation?: string
  /** Epsilon of the head's normalization layer. */
  readonly epsilon?: number
  /** Width of the head's last hidden states, if it is not the hidden size of the model. */
  readonly width?: number
  /** Factor of the logits. */
  readonly scale?: number
  /** Logit soft-capping: `softcap · tanh(logits / softcap)`. */
  readonly softcap?: number
}

/** A frozen model inside another one, loaded from a checkpoint of its own. */
export interface FrozenEncoder {
  readonly model: Model
  /** Prefix of its parameter names among those of the outer model. */
  readonly prefix: string
  readonly reads: 'lastHiddenState' | 'pooled'
}

/** An architecture: a function from parameters and inputs to outputs. It holds no weights. */
export interface Model<I extends Tree = TextInputs, O extends Tree = EncoderOutputs> {
  /**
   * Prefix of the parameter names in a checkpoint of the model with a head, such as `bert.`. Parameters without the prefix
   * compute `pooled`; they are newly initialized if a checkpoint lacks them.
   */
  readonly prefix: string
  /** Name of the word embeddings, `[vocabulary, width]`, which a head may tie. */
  readonly wordEmbeddings: string
  /** Checkpoint layouts of the heads of this family, by objective. */
  readonly heads: Readonly<Record<string, Head>>
  /** True if the weights of linear layers are `[in, out]`, as in GPT-2 checkpoints, instead of `[out, in]`. */
  readonly inputFirst?: boolean
  /** The width of the hidden states. */
  readonly hiddenSize: number
  /** The vocabulary size: the number of rows of the word embeddings. Absent for a model that accepts any token id. */
  readonly vocabularySize?: number
  /** The maximum sequence length in tokens. */
  readonly maximumLength: number
  /** The dropout probability for a head on this model, in [0, 1); a tensor if it follows a schedule. */
  readonly headDropout: number | Tensor
  /** Standard deviation of newly initialized weights, including those of a head. */
  readonly initializerRange: number
  /** The layer groups in depth order: embeddings first, head last. */
  readonly layers: readonly LayerGroup[]
  /** The frozen encoder whose states the model reads, if any. */
  readonly encoder?: FrozenEncoder
  /** The reason why sequences must not be packed, for a family whose outputs would change by packing. */
  readonly unpackable?: string
  /** The content of `config.json`, as other libraries read it. */
  readonly config: Readonly<Record<string, unknown>>
  /** Initializes the parameters, named as in the Hugging Face checkpoint. */
  init(key: Key): Params
  /** True if the cache is a recurrent state: the last tokens cannot then be removed from it. */
  readonly recurrent?: boolean
  /** Creates an empty KV cache; present for models that generate text. `capacity` is the maximum number of tokens. */
  cache?(batch: number, capacity: number): Cache
  forward(params: Params, inputs: I, mode: Mode): O
}

const part = z.union([z.string(), z.looseObject({ use: z.unknown() })])

const layers = z.union([z.array(z.int().min(0).nullable()), z.looseObject({})]).optional()
const parts = z.array(z.union([z.int().min(0), z.string()])).optional()

/** Options of every model. */
export const modelOptions = z.looseObject({
  from: z.string().optional().describe('Pretrained model to start from: a folder, a GGUF file, or a model of the Hub'),
  partial: z
    .boolean()
    .optional()
    .describe('Initialize parameters that are missing from the pretrained model at random'),
  fromLayers: layers.describe('Layers of the pretrained model to take, in order: `[0, 2, 4]`; null adds a random one'),
  reinitialize: parts.describe('Layers and parts to initialize at random: `[10, 11, pooler]`'),
  resizeEmbeddings: z.boolean().optional().describe('Enlarge the pretrained embeddings to the size of the vocabulary'),
  embeddings: z.string().optional().describe('File of word vectors to initialize the word embeddings from'),
  encoder: part.optional().describe('Frozen encoder whose hidden states the model reads: `{ use, from }`'),
})

/** Model architectures. */
export const MODEL = kind<Model>('model', 'one', { options: modelOptions })

/** Frozen encoders whose states another model reads; the plugins are those of {@link MODEL}. */
export const ENCODER = kind<Model>('encoder', 'many')
