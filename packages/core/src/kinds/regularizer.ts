import { kind } from '../kind.js'
import type { OnDevice, Params, Tree } from '../tree.js'
import type { DataPass } from './data-pass.js'
import type { LayerHook } from './layer-hook.js'
import type { Mode } from './model.js'
import type { Batch, ReducedLoss } from './objective.js'
import type { Hyper } from './optimizer.js'

/** The arguments of one evaluation of the training loss. */
export interface LossCall {
  readonly trainable: Params
  readonly frozen: Params
  readonly batch: OnDevice<Batch>
  readonly mode: Mode
  readonly hyper: Hyper
  /** Layer hook for this evaluation only. */
  readonly hook?: LayerHook
  /** The result of the regularizer's `prepare`. */
  readonly constants?: Tree
}

/** The training loss as a function; includes the outputs of the head if there is a single forward pass. */
export type LossFunction = (call: LossCall) => ReducedLoss & { readonly head?: Tree }

/** Wraps the training loss: adds a penalty, evaluates it twice, perturbs the embeddings. The first of a chain is the innermost. */
export interface Regularizer {
  /**
   * Computes constants once before training: initial weights, Fisher information. They are saved in checkpoints and passed to the
   * step as an argument; a captured tensor would be copied into every graph.
   */
  prepare?(pass: DataPass, trainable: Params): Promise<Tree>
  wrap(loss: LossFunction): LossFunction
  /** True if the loss of an example depends on the others of its batch, which is then never split into micro-batches. Default: false. */
  readonly comparesExamples?: boolean
}

/** Regularization of the training loss. */
export const REGULARIZER = kind<Regularizer>('regularizer', 'chain')
