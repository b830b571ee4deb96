/** Outcome of one round of boosting. */
export interface SammeRound {
  /** Weighted fraction of the training rows that the member misclassifies, in [0, 1]. */
  readonly error: number
  /** Weight of the member's vote; 0 if it is not better than chance. */
  readonly weight: number
  /** Weights of the rows for the next member, with sum 1. */
  readonly sampleWeights: readonly number[]
}

/**
 * One round of SAMME, AdaBoost for several classes. Misclassified rows gain weight, so that the next member is trained on them above all:
 *
 *     error  = Σ w_i [misclassified] / Σ w_i
 *     weight = ln((1 − error) / error) + ln(classes − 1)
 *     w_i   ← w_i · exp(weight · [misclassified]) / Σ …
 *
 * As in scikit-learn's `AdaBoostClassifier`, a member without errors has weight 1. One whose error is at least 1 − 1 / classes is not better
 * than chance: its weight is 0. After either, the weights of the rows do not change, and boosting ends.
 * Source: Zhu et al., Multi-class AdaBoost, 2009, algorithm 2.
 * @param sampleWeights weight of each row, with any positive sum
 */
export function sammeRound(sampleWeights: readonly number[], isWrong: readonly boolean[], classes: number): SammeRound {
  const total = sampleWeights.reduce((sum, weight) => sum + weight, 0)
  const error = sampleWeights.reduce((sum, weight, i) => (isWrong[i] === true ? sum + weight : sum), 0) / total
  const ends = error <= 0 || error >= 1 - 1 / classes
  const weight = error <= 0 ? 1 : ends ? 0 : Math.log((1 - error) / error) + Math.log(classes - 1)
  const raised = sampleWeights.map((own, i) => (isWrong[i] === true && !ends ? own * Math.exp(weight) : own))
  const sum = raised.reduce((a, b) => a + b, 0)
  return { error, weight, sampleWeights: raised.map((own) => own / sum) }
}
