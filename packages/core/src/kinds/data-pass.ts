import type { OnHost, Params, Tree } from '../tree.js'
import type { EncoderOutputs, Kept, Mode } from './model.js'

/** A batch on the device: the model's inputs, and whatever the loss needs besides. */
export interface DeviceBatch extends Record<string, Tree> {
  readonly inputs: Readonly<Record<string, Tree>>
}

/** A batch of a {@link DataPass}, with the model's values on it, without dropout, each computed when it is asked for. */
export interface PassAt {
  readonly params: Params
  /** The collated batch: `inputs`, and whatever the objective's loss needs besides. */
  readonly batch: DeviceBatch
  readonly mode: Mode
  /** The gradient of the batch's mean loss with respect to the trainable parameters. */
  gradients(): Params
  /** @param keep what else to return: hidden states, attention weights */
  outputs(keep?: readonly Kept[]): EncoderOutputs
  head(): Tree
}

/** How a {@link DataPass} runs over the data. */
export interface PassOptions {
  /** Examples of a batch. Default: the run's batch size for inference. */
  readonly batchSize?: number
  /** The maximum number of batches. Default: all. */
  readonly limit?: number
}

/**
 * A pass over the training data through the model, compiled, in constant memory: for Fisher information, activation and attention
 * statistics, cluster centres.
 */
export interface DataPass {
  /**
   * Folds `step` over the batches. The state is donated from batch to batch; the result belongs to the caller.
   * @param start makes the first state from the trainable parameters
   */
  fold<S extends Tree>(
    start: (trainable: Params) => S,
    step: (state: S, at: PassAt) => S,
    how?: PassOptions,
  ): Promise<S>
  /** Copies a result to the host. */
  read<T extends Tree>(tree: T): Promise<OnHost<T>>
  /** Frees a result. */
  release(tree: Tree): void
}
