import { kind } from '../kind.js'
import type { Params } from '../tree.js'
import type { Model } from './model.js'

/** A model made ready for training: which parameters move, which stay, and how to get plain ones back. */
export interface Adapted {
  /** The model whose `forward` takes `{ ...frozen, ...trainable }`. */
  readonly model: Model
  readonly trainable: Params
  readonly frozen: Params
  /** The plain parameters of the original architecture with what was learned worked in. */
  merge(trainable: Params, frozen: Params): Params
}

/** Decides what trains and how. */
export interface Adapter {
  adapt(model: Model, params: Params): Adapted
}

/** What trains. */
export const ADAPTER = kind<Adapter>('adapter', 'one')
