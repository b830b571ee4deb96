import { kind } from '../kind.js'

/** Evens out classes: how much each class counts in the loss, and how often its examples are drawn. */
export interface Balancer {
  /** `counts` are examples by class; the result is, by class, a positive weight and a positive repetition factor. */
  balance(counts: Readonly<Record<string, number>>): Readonly<Record<string, { weight: number; repeat: number }>>
}

/** Class imbalance. */
export const BALANCER = kind<Balancer>('balancer', 'one')
