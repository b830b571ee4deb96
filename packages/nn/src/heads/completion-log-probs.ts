import { type Tensor, div, maximum, mul, neg, sum } from '@tensorflow/tfjs-core'

/**
 * Log-probability of each completion, `[rows]`, from its per-token cross-entropies: `ln p(y | x) = −Σ_t weight_t · loss_t`.
 * @param losses cross-entropy of the next token, float32 `[rows, length]`
 * @param weights 1 for the tokens of the completion, 0 for the prompt and padding; float32 `[rows, length]`
 * @param isAveraged true for the mean per token (length normalization) instead of the sum; 0 for a completion without tokens
 */
export function completionLogProbs(losses: Tensor, weights: Tensor, isAveraged = false): Tensor {
  const total = neg(sum(mul(losses, weights), -1))
  return isAveraged ? div(total, maximum(sum(weights, -1), 1)) : total
}
