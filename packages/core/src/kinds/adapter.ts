import { z } from 'zod'
import { kind } from '../kind.js'
import type { HostArray, Params } from '../tree.js'
import type { DataPass } from './data-pass.js'
import type { Model } from './model.js'
import type { Optimizer } from './optimizer.js'

/** A model prepared for training: its trainable and frozen parameters, and the merge back into plain parameters, if there is one. */
export interface Adapted {
  /** The model whose `forward` takes `{ ...frozen, ...trainable }`. */
  readonly model: Model
  readonly trainable: Params
  readonly frozen: Params
  /** Update masks by parameter name: 1 for elements that train, 0 for frozen ones. Applied to the final updates. */
  readonly masks?: Params
  /** A choice of weights made from data, packed. Checkpoints hold it, and a resumed run passes it on instead of a new choice. */
  readonly choice?: Params
  /** Returns the parameters of the base architecture with the trained ones merged in. Absent if they are saved beside those. */
  merge?(trainable: Params, frozen: Params): Params
  /**
   * Wraps the run's whole optimizer chain: sees the gradients before clipping, may add to them, and changes the updates. Its state is
   * part of the optimizer's, so checkpoints hold it. `update` is called exactly once for each step.
   */
  wrapOptimizer?(optimizer: Optimizer): Optimizer
  /** The content of `adapter_config.json`, as peft reads it. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Returns the adapter's tensors by peft name, for `adapter_model.safetensors`. Absent if peft has no such adapter. */
  tensors?(trainable: Params): Params
}

/**
 * A saved adapter to continue from: its configuration, and its tensors by peft name. The trainer owns the tensors: those that
 * `adapt` returns in `trainable` are trained, the others are freed.
 */
export interface SavedAdapter {
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: Params
}

/** Optional inputs of an adapter. */
export interface AdapterInput {
  /** A pass over the training data, for adapters that select parameters by statistics. */
  readonly pass?: DataPass
  readonly saved?: SavedAdapter
  /** The `choice` of an interrupted run. */
  readonly choice?: Readonly<Record<string, HostArray>>
}

/** A fine-tuning method: selects or adds the parameters that train. */
export interface Adapter {
  /** Returns the model as the objective sees it, where that differs: prompt tuning shortens the maximum length. `saved` is the configuration of a saved adapter. */
  describe?(model: Model, saved?: SavedAdapter['config']): Model
  adapt(model: Model, params: Params, input?: AdapterInput): Adapted | Promise<Adapted>
}

/** Options of every adapter. */
export const adapterOptions = z.strictObject({
  from: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe('Folder of a saved adapter to start from, with adapter_config.json and adapter_model.safetensors'),
})

/** Full, partial and parameter-efficient fine-tuning. */
export const ADAPTER = kind<Adapter>('adapter', 'one', { options: adapterOptions })
