import { kind } from '../kind.js'
import type { HostArray } from '../tree.js'

/** The training examples as a balancer sees them. */
export interface Imbalanced {
  /** The class of each example. */
  readonly classes: readonly string[]
  /** `[examples, width]`, float32; where the balancer `reads` vectors. */
  readonly vectors?: HostArray
}

/** An example to be made between two others, as SMOTE does. */
export interface Synthetic {
  /** The indices of the two examples. */
  readonly of: number
  readonly towards: number
  /** The position between them, in [0, 1]. */
  readonly ratio: number
}

/** The examples to train on. */
export interface Balanced {
  /** Indices of examples, in order, repeated as often as they are to be trained on. */
  readonly indices: readonly number[]
  /** Their weights in the loss, not negative; of the same length. Default: 1. */
  readonly weights?: readonly number[]
  readonly synthetic?: readonly Synthetic[]
}

/** Balances classes by sampling or by weights. It sees training examples only. */
export interface Balancer {
  /** The field that holds the class. */
  readonly by: string
  readonly reads?: 'vectors'
  /** @param random uniform numbers in [0, 1) */
  balance(given: Imbalanced, random: () => number): Balanced
}

/** Class imbalance. */
export const BALANCER = kind<Balancer>('balancer', 'chain')
