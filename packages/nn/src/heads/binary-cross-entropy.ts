import { type Tensor, add, mul, neg, sub } from '@tensorflow/tfjs-core'
import { logSigmoid } from '../layers/log-sigmoid.js'
import { perClass, rowMeans } from './per-class.js'

/**
 * Binary cross-entropy from logits, the mean over the classes of each row: `−[w · t · ln σ(z) + (1 − t) · ln σ(−z)]`
 * for `logits` z and `targets` t in [0, 1], both `[rows, classes]`; the result is `[rows]`. The minus applies to both
 * terms (textbooks often print it before the first only), and `ln(1 − σ(z))` is computed as `ln σ(−z)`, which is finite
 * for every logit. As torch.nn.functional.binary_cross_entropy_with_logits.
 * @param positiveWeights weight w of the positive term of each class, ≥ 0; default: 1
 * @throws AttuneError `BAD_ARGUMENT` if there is not one positive weight per class
 */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor, positiveWeights?: readonly number[]): Tensor {
  const weights = perClass(positiveWeights, logits)
  const positive = mul(targets, logSigmoid(logits))
  const negative = mul(sub(1, targets), logSigmoid(neg(logits)))
  return neg(rowMeans(add(weights === undefined ? positive : mul(positive, weights), negative)))
}
