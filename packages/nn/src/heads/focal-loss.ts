import { type Tensor, add, exp, logSumExp, mul, neg, reshape, sub } from '@tensorflow/tfjs-core'
import { logSigmoid } from '../layers/log-sigmoid.js'
import { oneHotRows, perClass, rowMeans, rowSums } from './per-class.js'

/** Added to a logit to exclude its class. */
const EXCLUDED = -1e30

/**
 * Focal loss of classes, `−w_y · (1 − p_y)^γ · ln p_y` with p = softmax(logits), from `logits` `[rows, classes]` and
 * int32 `labels` `[rows]`; the result is `[rows]`. It is a function of the log-odds against the label, `ln Σ_{c ≠ y} exp(z_c − z_y)`,
 * so that the loss and its gradient are finite where p_y rounds to 0 or 1, and no large terms of the gradient cancel.
 * Source: Lin et al., Focal Loss for Dense Object Detection, 2017, equation 5, for several classes.
 * @param focusing γ ≥ 0; 0 is cross-entropy
 * @param classWeights weight w of each class, ≥ 0; default: 1
 * @throws AttuneError `BAD_ARGUMENT` if there is not one weight per class
 */
export function focalLoss(
  logits: Tensor,
  labels: Tensor,
  focusing: number | Tensor,
  classWeights?: readonly number[],
): Tensor {
  const weights = perClass(classWeights, logits)
  const label = oneHotRows(labels, logits.shape[1] as number)
  const own = reshape(rowSums(mul(label, logits)), [-1, 1])
  const odds = logSumExp(add(sub(logits, own), mul(label, EXCLUDED)), 1) // ln((1 − p_y) / p_y)
  const losses = neg(mul(exp(mul(logSigmoid(odds), focusing)), logSigmoid(neg(odds))))
  return weights === undefined ? losses : mul(losses, rowSums(mul(label, weights)))
}

/**
 * Focal loss of independent classes, the mean over the classes of each row: `−α · t · (1 − p)^γ · ln p
 * − (1 − α) · (1 − t) · p^γ · ln(1 − p)` with p = σ(logits), for `targets` t in [0, 1], both `[rows, classes]`; the result
 * is `[rows]`. As torchvision.ops.sigmoid_focal_loss for targets of 0 and 1.
 * Source: Lin et al., Focal Loss for Dense Object Detection, 2017, equation 5.
 * @param focusing γ ≥ 0; 0 is weighted binary cross-entropy
 * @param alpha weight of positives in [0, 1], negatives have 1 − alpha; without it both have weight 1
 */
export function binaryFocalLoss(
  logits: Tensor,
  targets: Tensor,
  focusing: number | Tensor,
  alpha?: number | Tensor,
): Tensor {
  const [yes, no] = [logSigmoid(logits), logSigmoid(neg(logits))]
  const positive = mul(mul(targets, exp(mul(no, focusing))), yes)
  const negative = mul(mul(sub(1, targets), exp(mul(yes, focusing))), no)
  const sum = alpha === undefined ? add(positive, negative) : add(mul(positive, alpha), mul(negative, sub(1, alpha)))
  return neg(rowMeans(sum))
}
