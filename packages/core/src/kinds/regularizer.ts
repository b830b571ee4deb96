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
  /** Acts around layers in this evaluation alone. */
  readonly hook?: LayerHook
  /** The tree that this regularizer's `prepare` returned. */
  readonly constants?: Tree
}

/** The training loss as a function, with the head's outputs where there is one forward pass. */
export type LossFunction = (call: LossCall) => ReducedLoss & { readonly head?: Tree }

/** Wraps the training loss: adds a term, evaluates it twice, perturbs the embeddings. The first in the chain is the innermost. */
export interface Regularizer {
  /**
   * Returns constants that are computed once before training: start weights, Fisher information. They are kept in checkpoints and are
   * an argument of the step, since a captured tensor would be copied into every graph.
   */
  prepare?(pass: DataPass, trainable: Params): Promise<Tree>
  wrap(loss: LossFunction): LossFunction
}

/** Terms and transformations of the training loss. */
export const REGULARIZER = kind<Regularizer>('regularizer', 'chain')
