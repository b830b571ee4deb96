import { type Tensor, add, mul, relu, reshape, sub } from '@tensorflow/tfjs-core'
import { maximumOfRows, oneHotRows, rowMeans, rowSums } from './per-class.js'

/** Added to a logit to exclude its class. */
const EXCLUDED = -1e30

/** Logits `[rows, classes]` with one-hot labels, and the logit of each label, `[rows]`. */
function ofLabels(logits: Tensor, labels: Tensor) {
  const label = oneHotRows(labels, logits.shape[1] as number)
  return { label, own: rowSums(mul(label, logits)) }
}

/**
 * Multi-class hinge loss of Crammer and Singer, `max(0, margin + max_{c ≠ y} z_c − z_y)`, from `logits` z
 * `[rows, classes]` and int32 `labels` `[rows]`; the result is `[rows]`. Of several equal maxima the first receives the
 * gradient: it is then a subgradient, which the sum over all of them is not.
 * Source: Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, 2001,
 * equation 3.
 */
export function hingeLoss(logits: Tensor, labels: Tensor, margin: number | Tensor = 1): Tensor {
  const { label, own } = ofLabels(logits, labels)
  const rival = maximumOfRows(add(logits, mul(label, EXCLUDED)))
  const others = rowSums(mul(rival, logits))
  return relu(add(sub(others, own), margin))
}

/**
 * Multi-class hinge loss of Weston and Watkins, `Σ_{c ≠ y} max(0, margin + z_c − z_y) / classes`, with the shapes of
 * {@link hingeLoss}. As torch.nn.functional.multi_margin_loss.
 * Source: Weston and Watkins, Support Vector Machines for Multi-Class Pattern Recognition, 1999, equation 7.
 */
export function summedHingeLoss(logits: Tensor, labels: Tensor, margin: number | Tensor = 1): Tensor {
  const { label, own } = ofLabels(logits, labels)
  const violations = relu(add(sub(logits, reshape(own, [-1, 1])), margin))
  return rowMeans(mul(violations, sub(1, label)))
}

/**
 * Binary hinge loss, the mean over the classes of each row of `max(0, margin − (2t − 1) · z)`, from `logits` z and
 * `targets` t of 0 or 1, both `[rows, classes]`; the result is `[rows]`.
 * Source: Cortes and Vapnik, Support-Vector Networks, 1995, with targets 2t − 1 of −1 and 1.
 */
export const binaryHingeLoss = (logits: Tensor, targets: Tensor, margin: number | Tensor = 1): Tensor =>
  rowMeans(relu(sub(margin, mul(sub(mul(targets, 2), 1), logits))))
