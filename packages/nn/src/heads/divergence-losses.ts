import { type Tensor, add, exp, log, logSoftmax, maximum, mul, sub } from '@tensorflow/tfjs-core'
import { rowSums } from './per-class.js'

/** Minimum argument of a logarithm whose factor is 0. */
const TINY = 1e-30

/** `t · ln t`, 0 for t = 0. */
const timesOwnLog = (t: Tensor): Tensor => mul(t, log(maximum(t, TINY)))

/**
 * Kullback–Leibler divergence from the target distribution, `KL(t ‖ p) = Σ t · (ln t − ln p)` with p = softmax(logits),
 * from `logits` and `targets` t, both `[rows, classes]`, each row of targets with the sum 1; the result is `[rows]`, in
 * nats. Its gradient is that of cross-entropy with soft targets. As the sum of torch.nn.functional.kl_div over the
 * classes, whose first argument is log p; its `reduction="mean"` also divides by the number of classes.
 * Source: Kullback and Leibler, On Information and Sufficiency, 1951, equation 2.4.
 */
export const klDivergence = (logits: Tensor, targets: Tensor): Tensor =>
  rowSums(sub(timesOwnLog(targets), mul(targets, logSoftmax(logits))))

/**
 * Reverse Kullback–Leibler divergence, `KL(p ‖ t) = Σ p · (ln p − ln t)`, with the shapes of {@link klDivergence}. It is
 * infinite where a target is 0; targets therefore count as at least `minimum`.
 * @param minimum smallest target probability, > 0
 */
export function reverseKlDivergence(logits: Tensor, targets: Tensor, minimum: number): Tensor {
  const l = logSoftmax(logits)
  return rowSums(mul(exp(l), sub(l, log(maximum(targets, minimum)))))
}

/**
 * Jensen–Shannon divergence, `½ KL(t ‖ m) + ½ KL(p ‖ m)` with `m = (p + t) / 2` and p = softmax(logits), with the shapes of
 * {@link klDivergence}; in [0, ln 2]. It is a divergence, not the distance, which is its square root (SciPy's
 * `jensenshannon`).
 * Source: Lin, Divergence Measures Based on the Shannon Entropy, 1991, equation 3.4.
 */
export function jensenShannonDivergence(logits: Tensor, targets: Tensor): Tensor {
  const l = logSoftmax(logits)
  const p = exp(l)
  const mixed = log(maximum(mul(add(p, targets), 0.5), TINY))
  const ofTargets = sub(timesOwnLog(targets), mul(targets, mixed))
  return mul(rowSums(add(ofTargets, mul(p, sub(l, mixed)))), 0.5)
}
