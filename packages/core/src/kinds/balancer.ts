import { kind } from '../kind.js'
import type { HostArray } from '../tree.js'

/** The training examples, as passed to a balancer. */
export interface Imbalanced {
  /** The class of each example. */
  readonly classes: readonly string[]
  /** Embeddings of the examples, `[examples, width]`, float32; present if the balancer `reads` vectors. */
  readonly vectors?: HostArray
}

/** A synthetic example interpolated between two others (SMOTE). */
export interface Synthetic {
  /** The indices of the two examples. */
  readonly of: number
  readonly towards: number
  /** The interpolation factor, in [0, 1]. */
  readonly ratio: number
}

/** The rebalanced training set. */
export interface Balanced {
  /** Indices of examples, in order; an oversampled example occurs several times. */
  readonly indices: readonly number[]
  /** Non-negative loss weights, one per index. Default: 1. */
  readonly weights?: readonly number[]
  readonly synthetic?: readonly Synthetic[]
}

/** Balances classes by resampling or by loss weights. Receives training examples only. */
export interface Balancer {
  /** The field of the class. */
  readonly by: string
  readonly reads?: 'vectors'
  /** @param random uniform numbers in [0, 1) */
  balance(data: Imbalanced, random: () => number): Balanced
}

/** Correction of class imbalance. */
export const BALANCER = kind<Balancer>('balancer', 'chain')
