import type { OnHost, Params, Tree } from '../tree.js'
import type { EncoderOutputs, Kept, Mode } from './model.js'

/** A batch on the device: the inputs of the model, and whatever else the loss needs. */
export type DeviceBatch = Readonly<Record<string, Tree> & Record<'inputs', Readonly<Record<string, Tree>>>>

/** A batch of a {@link DataPass}, with the gradients and outputs of the model, computed lazily and without dropout. */
export interface PassAt {
  readonly params: Params
  /** The collated batch: `inputs`, and whatever else the objective's loss needs. */
  readonly batch: DeviceBatch
  readonly mode: Mode
  /** Returns the gradient of the mean batch loss with respect to the trainable parameters. */
  gradients(): Params
  /** @param keep additional outputs: hidden states, attention weights */
  outputs(keep?: readonly Kept[]): EncoderOutputs
  head(): Tree
}

/** Options of a {@link DataPass}. */
export interface PassOptions {
  /** Batch size. Default: the run's batch size for inference. */
  readonly batchSize?: number
  /** Maximum number of batches. Default: all. */
  readonly limit?: number
  /** Examples to pass through the model instead of the training data: those of an earlier task. */
  readonly examples?: () => AsyncIterable<Readonly<Record<string, unknown>>>
}

/**
 * A compiled pass of the training data through the model, in constant memory. Used for Fisher information, activation and
 * attention statistics, and cluster centres.
 */
export interface DataPass {
  /**
   * Folds `step` over the batches. Each state is donated to the next step; the caller owns the result.
   * @param start returns the initial state, given the trainable parameters
   */
  fold<S extends Tree>(
    start: (trainable: Params) => S,
    step: (state: S, at: PassAt) => S,
    options?: PassOptions,
  ): Promise<S>
  /** Copies a result to the host. */
  read<T extends Tree>(tree: T): Promise<OnHost<T>>
  /** Frees a result. */
  release(tree: Tree): void
  /** Reports a warning, `run.warned`, in a pass before an epoch: that clusters are empty, for example. */
  warn?(message: string): void
}
