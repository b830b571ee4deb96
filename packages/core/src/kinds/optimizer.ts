import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kind } from '../kind.js'
import type { Params, Tree } from '../tree.js'

/** Per-step hyperparameters, as tensors, so that a new value needs no new trace. */
export interface Hyper extends Record<string, Tree> {
  /** `[]` */
  readonly learningRate: Tensor
  /** The current step, from 1; float32 `[]`. */
  readonly step: Tensor
  /** The total number of steps; float32 `[]`. */
  readonly steps: Tensor
  /** The random seed of the step; int32 `[2]`. */
  readonly seed: Tensor
  /** Values of scheduled options, by path in the configuration (`objective.reversal`); each `[]`. */
  readonly scheduled: Readonly<Record<string, Tensor>>
  /** The result of the objective's `beforeEpoch` for this epoch. */
  readonly memory?: Tree
}

/**
 * Evaluates the mean loss of the current batch, its gradient, and the sum of the weights of its examples or tokens, at other parameters.
 * With `labels` sampled from the predictions of the model, by the seed of the step, the loss is that of the objective without regularizers
 * (Gauss–Newton–Bartlett).
 * @throws AttuneError `NO_SAMPLED_LABELS` if the objective cannot sample labels
 */
export type Closure = (
  params: Params,
  labels?: 'sampled',
) => { readonly loss: Tensor; readonly grads: Params; readonly weight: Tensor }

/**
 * A pure gradient transformation, as in Optax. Updates are *added* to the parameters, so the last transformation of a chain
 * negates them. The state is a tree keyed by parameter name.
 */
export interface Optimizer<S extends Tree = Tree> {
  init(params: Params): S
  /** @param closure re-evaluates the loss, for SAM, L-BFGS and line searches; absent under gradient accumulation */
  update(
    grads: Params,
    state: S,
    params: Params,
    hyper: Hyper,
    closure?: Closure,
  ): { readonly updates: Params; readonly state: S }
  /**
   * Set for a link that is not an optimizer by itself: it transforms the gradients `before` an optimizer, or the updates `after` it. A
   * chain without an optimizer, or with a link on the wrong side of it, is rejected.
   */
  readonly link?: 'before' | 'after'
  /** True if `update` needs the closure. The optimizer is then rejected in a run with gradient accumulation. */
  readonly needsClosure?: true
  /** Returns the parameters to evaluate and save, if they differ from those that train (EMA, SWA, schedule-free). */
  evaluationParams?(state: S, params: Params): Params
}

/** Options of every optimizer. */
export const optimizerOptions = z.strictObject({
  only: z
    .string()
    .optional()
    .describe('Parameters to update, a pattern of names: * any characters, | or, ! except; default: all'),
})

/** Optimizers and gradient transformations. */
export const OPTIMIZER = kind<Optimizer>('optimizer', 'chain', { options: optimizerOptions })
