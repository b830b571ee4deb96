import {
  type Tensor,
  add,
  div,
  exp,
  log,
  logSoftmax,
  maximum,
  mean,
  mul,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { rowMeans, rowSums } from '../heads/per-class.js'

/** Divergences of the predictions of a student from those of a teacher. */
export const softTargetLosses = ['kl', 'reverse-kl', 'jensen-shannon', 'squared-error'] as const
export type SoftTargetLoss = (typeof softTargetLosses)[number]

/** Minimum attention weight whose logarithm is taken. */
const TINY = 1e-30

const kl = (p: Tensor, q: Tensor): Tensor => rowSums(mul(exp(p), sub(p, q)))

/** Jensen–Shannon divergence of log-probabilities. */
function jensenShannon(p: Tensor, q: Tensor): Tensor {
  const mixed = log(maximum(mul(0.5, add(exp(p), exp(q))), TINY))
  return mul(0.5, add(kl(p, mixed), kl(q, mixed)))
}

/**
 * Loss of soft targets for each row of logits, `[rows, classes]` to `[rows]`, in nats. With p = softmax(teacher / T) and q =
 * softmax(student / T):
 *
 *     kl               T² · Σ p · (ln p − ln q)
 *     reverse-kl       T² · Σ q · (ln q − ln p)
 *     jensen-shannon   T² / 2 · (KL(p ‖ m) + KL(q ‖ m)),  m = (p + q) / 2
 *     squared-error    mean over the classes of (student − teacher)², without temperature
 *
 * The gradient of the softmax at temperature T is 1/T² of that at 1; the factor T², which is often left out, keeps the balance with the
 * loss of the labels when T changes.
 * Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2 (kl, T²); Gu et al., MiniLLM, 2024,
 * section 2.1 (reverse-kl); Agarwal et al., GKD, 2024, section 2 (jensen-shannon); Ba and Caruana, Do Deep Nets Really Need to be Deep?,
 * 2014, equation 1 (squared-error).
 * @param temperature T > 0
 */
export function softTargetLoss(
  student: Tensor,
  teacher: Tensor,
  { temperature, divergence }: { readonly temperature: number | Tensor; readonly divergence: SoftTargetLoss },
): Tensor {
  if (divergence === 'squared-error') return rowMeans(square(sub(student, teacher)))
  const [q, p] = [logSoftmax(div(student, temperature)), logSoftmax(div(teacher, temperature))]
  const measures = { kl: () => kl(p, q), 'reverse-kl': () => kl(q, p), 'jensen-shannon': () => jensenShannon(p, q) }
  return mul(measures[divergence](), square(temperature as Tensor))
}

/**
 * KL divergence of attention weights, `[batch, heads, queries, keys]` to `[batch, queries]`: `Σ a_teacher · (ln a_teacher − ln a_student)`
 * over the keys, and its mean over the heads.
 * Source: Sun et al., MobileBERT, 2020, equation 3.
 */
export function attentionTransfer(student: Tensor, teacher: Tensor): Tensor {
  const logOf = (x: Tensor): Tensor => log(maximum(x, TINY))
  return mean(sum(mul(teacher, sub(logOf(teacher), logOf(student))), -1), 1)
}
