import { z } from 'zod'
import { kind } from '../kind.js'
import type { Params } from '../tree.js'
import type { DataPass } from './data-pass.js'
import type { Model } from './model.js'

/** A model made ready for training: its trainable and frozen parameters, and the way back to plain ones. */
export interface Adapted {
  /** The model whose `forward` takes `{ ...frozen, ...trainable }`. */
  readonly model: Model
  readonly trainable: Params
  readonly frozen: Params
  /** By the name of a trainable parameter, 1 where it trains and 0 where it does not: updates are multiplied by it, last of all. */
  readonly masks?: Params
  /** The plain parameters of the original architecture with the trained ones merged in. */
  merge(trainable: Params, frozen: Params): Params
  /** The content of the adapter's `adapter_config.json`, as peft reads it. */
  readonly config?: Readonly<Record<string, unknown>>
  /** The adapter's own tensors by peft's names, for `adapter_model.safetensors`; absent for adapters that peft has no layout for. */
  tensors?(trainable: Params): Params
}

/**
 * The start of an adapter that was saved before: its configuration, and its tensors by peft's names. They are the trainer's: an
 * adapter trains those that it returns among `trainable`, and the others are freed.
 */
export interface SavedAdapter {
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: Params
}

/** What an adapter may use besides the model. */
export interface AdapterInput {
  /** A pass over the training data, for adapters that choose by statistics. */
  readonly pass?: DataPass
  readonly saved?: SavedAdapter
}

/** Decides which parameters train, and how. */
export interface Adapter {
  /** The model as the objective sees it, where that differs: prompt tuning takes room from the maximum length. */
  describe?(model: Model): Model
  adapt(model: Model, params: Params, input?: AdapterInput): Adapted | Promise<Adapted>
}

/** Options of every adapter. */
const common = z.strictObject({
  from: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe('Folder of a saved adapter to start from: adapter_config.json and adapter_model.safetensors'),
})

/** Full and partial fine-tuning. */
export const ADAPTER = kind<Adapter>('adapter', 'one', { options: common })
