import type { Tensor } from '@tensorflow/tfjs-core'
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

/**
 * Whether a forward pass trains. Dropout and its like act only when `training`, with randomness from `key`. With
 * `recompute`, layers keep nothing for their gradients and are computed again.
 */
export type Mode =
  { readonly training: false } | { readonly training: true; readonly key: StepKey; readonly recompute?: boolean }

/** Parameters that belong to one depth of a model, from the input up. */
export interface LayerGroup {
  readonly name: string
  /** A parameter belongs to the group when its name starts with one of these. */
  readonly prefixes: readonly string[]
}

/** What an encoder reads: int32 tensors `[batch, length]`. `attentionMask` is 1 for a token and 0 for padding. */
export interface TextInputs extends Record<string, Tree> {
  readonly inputIds: Tensor
  readonly attentionMask: Tensor
  readonly tokenTypeIds: Tensor
}

/** What an encoder gives. */
export interface EncoderOutputs extends Record<string, Tree> {
  /** `[batch, length, hidden]` */
  readonly lastHiddenState: Tensor
  /** One vector a text, `[batch, hidden]`: what the model was trained to sum a text up in. */
  readonly pooled: Tensor
}

/** An architecture: a function from parameters and inputs to outputs. It holds no weights. */
export interface Model<I extends Tree = TextInputs, O extends Tree = EncoderOutputs> {
  /** What stands before a parameter's name in a checkpoint of the model with a head, as in `bert.`. */
  readonly prefix: string
  /** The parameter that holds the word embeddings, `[vocabulary, width]`, for a head to share. */
  readonly wordEmbeddings: string
  /** The width of the hidden states, for a head to attach to. */
  readonly hiddenSize: number
  /** The most tokens it takes. */
  readonly maximumLength: number
  /** The probability of dropout that a head on this model should use, in [0, 1). */
  readonly headDropout: number
  /** The standard deviation of new weights, of a head's too. */
  readonly initializerRange: number
  /** The groups in depth order: embeddings first, head last. */
  readonly layers: readonly LayerGroup[]
  /** The content of the `config.json` that describes this model to other libraries. */
  readonly config: Readonly<Record<string, unknown>>
  /** New parameters, named as in the Hugging Face checkpoint. */
  init(key: Key): Params
  forward(params: Params, inputs: I, mode: Mode): O
}

/** An architecture. */
export const MODEL = kind<Model>('model', 'one')
