import type { Tensor } from '@tensorflow/tfjs-core'
import { kind } from '../kind.js'
import type { Params, Tree } from '../tree.js'

/** Numbers that change from step to step, as tensors, so that a change needs no new trace. */
export interface Hyper extends Record<string, Tree> {
  /** `[]` */
  readonly learningRate: Tensor
  /** The step being taken, counted from 1; `[]`. */
  readonly step: Tensor
}

/**
 * A pure transformation of gradients. Updates are *added* to the parameters, so the last link of a chain makes them
 * negative. State is a tree keyed by parameter name.
 */
export interface Optimizer<S extends Tree = Tree> {
  init(params: Params): S
  update(grads: Params, state: S, params: Params, hyper: Hyper): { readonly updates: Params; readonly state: S }
}

/** From gradients to updates. */
export const OPTIMIZER = kind<Optimizer>('optimizer', 'chain')
