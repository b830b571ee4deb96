import {
  type Tensor,
  add,
  cast,
  customGrad,
  div,
  exp,
  gather,
  gatherND,
  logSoftmax,
  maximum,
  mean,
  mul,
  neg,
  notEqual,
  range,
  reshape,
  scalar,
  stack,
  sub,
  sum,
  tensorScatterUpdate,
} from '@tensorflow/tfjs-core'
import { perClass } from './per-class.js'

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** Probability mass of the target that is spread uniformly over all classes, in [0, 1). Default: 0. */
  readonly smoothing?: number | Tensor
  /** Non-negative weight of each class's term in the sum. Default: 1. */
  readonly classWeights?: readonly number[] | undefined
  /** Label whose rows have loss 0 and gradient 0. Default: none. */
  readonly ignoreIndex?: number | undefined
}

/** Multiplies by class weights, if any. */
const times = (x: Tensor, weights: Tensor | undefined): Tensor => (weights === undefined ? x : mul(x, weights))

/** Probability mass of the target on the label alone, on every class, and their sum. */
function targetMasses(smoothing: number | Tensor, classes: number) {
  if (typeof smoothing === 'number') {
    const [onLabel, spreadOver] = [1 - smoothing, smoothing / classes]
    return { onLabel, spreadOver, both: onLabel + spreadOver }
  }
  const [onLabel, spreadOver] = [sub(1, smoothing), div(smoothing, classes)]
  return { onLabel, spreadOver, both: add(onLabel, spreadOver) }
}

/** Cross-entropy of all rows, none ignored. */
function ofAllRows(logits: Tensor, labels: Tensor, smoothing: number | Tensor, weights: Tensor | undefined): Tensor {
  const [rows, classes] = logits.shape as [number, number]
  return customGrad((input, save) => {
    const logProbabilities = logSoftmax(input as Tensor)
    const known = maximum(labels, scalar(0, 'int32'))
    const indices = stack([range(0, rows, 1, 'int32'), known], 1) // [rows, 2]: the index of each label's entry
    const ofLabels = gatherND(logProbabilities, indices) // [rows]
    const own = weights === undefined ? undefined : gather(weights, known as never) // [rows]
    const scales = own === undefined ? [] : [own, weights as Tensor]
    ;(save as (tensors: Tensor[]) => void)([logProbabilities, indices, ofLabels, ...scales])
    const { onLabel } = targetMasses(smoothing, classes)
    const ofAll = smoothing === 0 ? 0 : mul(mean(times(logProbabilities, weights), -1), smoothing)
    return {
      value: neg(add(mul(times(ofLabels, own), onLabel), ofAll)),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const { onLabel, spreadOver, both } = targetMasses(smoothing, classes)
        const [l, entries, likely, label, all] = saved as [Tensor, Tensor, Tensor, Tensor?, Tensor?]
        // The gradient is `mass · softmax − target`, where `mass` is the sum of the row's target.
        const mass = label === undefined ? 1 : add(mul(label, onLabel), mul(mean(all!), smoothing))
        const whole = label === undefined ? g : mul(g, mass)
        const probable = mul(exp(l), reshape(whole, [-1, 1])) // [rows, classes]
        const spread = times(mul(reshape(g, [-1, 1]), spreadOver), all)
        const rest = smoothing === 0 ? probable : sub(probable, spread)
        // From the label's own entry, not from `rest`: the loss is then computed before the gradient, which may reuse its memory.
        const target = label === undefined ? both : mul(label, both)
        return tensorScatterUpdate(rest, entries, mul(g, sub(mul(exp(likely), mass), target)))
      },
    }
  })(logits)
}

/**
 * Per-row cross-entropy, `−Σ target · log softmax(logits)`, from `logits` `[rows, classes]` and int32 `labels`
 * `[rows]`; the result is `[rows]`. A label is a class index, or −1 if unknown, which counts as class 0. With label
 * smoothing the target is `smoothing / classes` for every class, plus `1 − smoothing` for the label; class weights
 * multiply it. The input is logits, not probabilities: the softmax is part of the loss. `−Σ target · log z` of the logits
 * z themselves, as textbooks print it that leave out the softmax, is wrong: z need not be positive or sum to 1
 * (Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2.2.3). The gradient,
 * `softmax(logits) · Σ target − target`, is in closed form. Targets are never materialised: with a large vocabulary
 * they would take as much memory as the logits. As torch.nn.functional.cross_entropy with `reduction="none"`.
 * Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7 (smoothing).
 * @throws AttuneError `BAD_ARGUMENT` if the number of class weights is not the number of classes
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { crossEntropy } from '@attune/nn'
 * import { tensor1d, tensor2d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const losses = crossEntropy(tensor2d([[2, 0], [0, 2]]), tensor1d([0, 0], 'int32'))
 * console.log(Array.from(losses.dataSync(), (loss) => loss.toFixed(3))) // [ '0.127', '2.127' ]
 * ```
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { smoothing = 0, classWeights, ignoreIndex }: CrossEntropyOptions = {},
): Tensor {
  if (logits.shape[0] === 0) return sum(logits, -1) // TF.js cannot gather from an empty tensor.
  const losses = ofAllRows(logits, labels, smoothing, perClass(classWeights, logits))
  if (ignoreIndex === undefined) return losses
  return mul(losses, cast(notEqual(labels, scalar(ignoreIndex, 'int32')), 'float32'))
}
