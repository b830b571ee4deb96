import { kind } from '../kind.js'

/** The training examples, as passed to a balancer. */
export interface Imbalanced {
  /** The class of each example. */
  readonly classes: readonly string[]
}

/** The rebalanced training set. */
export interface Balanced {
  /** Indices of examples, in order; an oversampled example occurs several times. */
  readonly indices: readonly number[]
  /** Non-negative loss weights, one per index. Default: 1. */
  readonly weights?: readonly number[]
}

/** Balances classes by resampling or by loss weights. Receives training examples only. */
export interface Balancer {
  /** The field of the class. */
  readonly by: string
  /** @param random uniform numbers in [0, 1) */
  balance(data: Imbalanced, random: () => number): Balanced
}

/** Correction of class imbalance. */
export const BALANCER = kind<Balancer>('balancer', 'chain')
