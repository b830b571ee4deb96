import { type Tensor, div, expm1, logSoftmax, mul, neg } from '@tensorflow/tfjs-core'
import { oneHotRows, rowSums } from './per-class.js'

/**
 * Generalized cross-entropy, `(1 − p_y^q) / q` with p = softmax(logits), from `logits` `[rows, classes]` and int32 `labels` `[rows]`; the
 * result is `[rows]`, in [0, 1 / q]. Its gradient is that of cross-entropy times p_y^q, so that a label which the model finds
 * improbable counts little.
 * Source: Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels, 2018, equation 6.
 * @param q exponent in (0, 1]: cross-entropy as q approaches 0; 1 is half of the absolute error of the probabilities
 */
export function generalizedCrossEntropyLoss(logits: Tensor, labels: Tensor, q: number | Tensor): Tensor {
  const label = oneHotRows(labels, logits.shape[1] as number)
  const ofLabel = rowSums(mul(label, logSoftmax(logits)))
  return div(neg(expm1(mul(ofLabel, q))), q)
}
