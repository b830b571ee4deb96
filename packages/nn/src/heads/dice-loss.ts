import { type Tensor, add, div, maximum, mul, pow, square, sub } from '@tensorflow/tfjs-core'
import { rowSums } from './per-class.js'

/** Minimum of 1 − p, which keeps the gradient of its power finite. */
const MINIMUM = 1e-7

/** Options of {@link diceLoss}. */
export interface DiceOptions {
  /** Added to numerator and denominator, > 0. */
  readonly smooth: number | Tensor
  /** True for squared probabilities and targets in the denominator. */
  readonly squared: boolean
  /** Exponent α ≥ 0 of the factor (1 − p)^α that reduces the weight of easy examples. */
  readonly downWeighting: number | Tensor
}

/**
 * Dice loss of each row, `1 − (2 Σ q·t + smooth) / (Σ q + Σ t + smooth)`, the sums over its classes, with
 * `q = (1 − p)^α · p`, from `probabilities` p and `targets` t in [0, 1], both `[rows, classes]`; the result is `[rows]`,
 * in [0, 1]. With `squared`, the denominator has `Σ q² + Σ t²`.
 * Source: Li et al., Dice Loss for Data-imbalanced NLP Tasks, 2020, equations 6 (α = 0), 7 (squared) and 11 (α > 0);
 * Milletari et al., V-Net, 2016 (squared, without smoothing).
 */
export function diceLoss(probabilities: Tensor, targets: Tensor, options: DiceOptions): Tensor {
  const { smooth, squared, downWeighting } = options
  const ease = downWeighting === 0 ? undefined : pow(maximum(sub(1, probabilities), MINIMUM), downWeighting)
  const q = ease === undefined ? probabilities : mul(ease, probabilities)
  const size = (x: Tensor): Tensor => rowSums(squared ? square(x) : x)
  const overlap = add(mul(rowSums(mul(q, targets)), 2), smooth)
  return sub(1, div(overlap, add(add(size(q), size(targets)), smooth)))
}
