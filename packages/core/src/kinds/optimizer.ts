import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { kind } from '../kind.js'
import type { Params, Tree } from '../tree.js'

/** Values that change from step to step, as tensors, so that a change needs no new trace. */
export interface Hyper extends Record<string, Tree> {
  /** `[]` */
  readonly learningRate: Tensor
  /** The current step, counted from 1; float32 `[]`. */
  readonly step: Tensor
  /** The number of steps of the run; float32 `[]`. */
  readonly steps: Tensor
  /** The seed of this step's randomness; int32 `[2]`. */
  readonly seed: Tensor
  /** Scheduled options by their path in the configuration (`objective.reversal`); each `[]`. */
  readonly scheduled: Readonly<Record<string, Tensor>>
  /** The tree that the objective's `beforeEpoch` returned for this epoch. */
  readonly memory?: Tree
}

/** Evaluates the mean loss of the current batch and its gradient at other parameters. */
export type Closure = (params: Params) => { readonly loss: Tensor; readonly grads: Params }

/**
 * A pure transformation of gradients. Updates are *added* to the parameters, so the last link of a chain makes them
 * negative. State is a tree keyed by parameter name.
 */
export interface Optimizer<S extends Tree = Tree> {
  init(params: Params): S
  /** @param closure evaluates the loss again, as SAM, L-BFGS and line searches need; absent where a batch is accumulated in parts */
  update(
    grads: Params,
    state: S,
    params: Params,
    hyper: Hyper,
    closure?: Closure,
  ): { readonly updates: Params; readonly state: S }
  /** True if `update` needs the closure. A run that accumulates gradients over micro-batches then refuses the optimizer. */
  readonly needsClosure?: true
  /** The parameters to evaluate and save, where they are not those that train (EMA, SWA, schedule-free). */
  evaluationParams?(state: S, params: Params): Params
}

/** Options of every optimizer. */
const common = z.strictObject({
  only: z
    .string()
    .optional()
    .describe('Parameters that this optimizer updates: a pattern of names, with * for any characters; default: all'),
})

/** From gradients to updates. */
export const OPTIMIZER = kind<Optimizer>('optimizer', 'chain', { options: common })
