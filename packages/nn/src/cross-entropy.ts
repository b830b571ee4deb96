import {
  type Tensor,
  add,
  customGrad,
  exp,
  gatherND,
  logSoftmax,
  maximum,
  mean,
  mul,
  neg,
  range,
  reshape,
  scalar,
  stack,
  sub,
  tensorScatterUpdate,
} from '@tensorflow/tfjs-core'

/**
 * The cross-entropy of each row: `−Σ target · log softmax(logits)`, from `logits` `[rows, classes]` and int32 `labels` `[rows]`,
 * each one of the classes, or −1 where it is not known, which counts as the first; the result is `[rows]`. The target is 1 for
 * the label and 0 for others, or `1 − smoothing` and `smoothing / classes` for each class, the label's too. The gradient,
 * `softmax(logits) − target`, is given in closed form. Targets are never laid out: with a large vocabulary they would take as much memory as the logits.
 * Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7 (smoothing).
 * @param smoothing in [0, 1)
 */
export function crossEntropy(logits: Tensor, labels: Tensor, smoothing = 0): Tensor {
  const [rows, classes] = logits.shape as [number, number]
  return customGrad((input, save) => {
    const logProbabilities = logSoftmax(input as Tensor)
    const known = maximum(labels, scalar(0, 'int32'))
    const at = stack([range(0, rows, 1, 'int32'), known], 1) // [rows, 2]: where each label's number is
    ;(save as (tensors: Tensor[]) => void)([logProbabilities, at])
    const ofLabels = mul(gatherND(logProbabilities, at), 1 - smoothing)
    const ofAll = smoothing === 0 ? 0 : mul(mean(logProbabilities, -1), smoothing)
    return {
      value: neg(add(ofLabels, ofAll)),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [l, places] = saved as [Tensor, Tensor]
        const weight = reshape(g, [-1, 1])
        const likely = mul(exp(l), weight) // [rows, classes]
        const spread = smoothing === 0 ? likely : sub(likely, mul(weight, smoothing / classes))
        const less = sub(gatherND(spread, places), mul(g, 1 - smoothing)) // [rows]
        return tensorScatterUpdate(spread, places, less)
      },
    }
  })(logits)
}
