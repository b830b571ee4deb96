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
    const ofLabels = gatherND(logProbabilities, at) // [rows]
    ;(save as (tensors: Tensor[]) => void)([logProbabilities, at, ofLabels])
    const ofAll = smoothing === 0 ? 0 : mul(mean(logProbabilities, -1), smoothing)
    return {
      value: neg(add(mul(ofLabels, 1 - smoothing), ofAll)),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [l, places, own] = saved as [Tensor, Tensor, Tensor]
        const weight = reshape(g, [-1, 1])
        const likely = mul(exp(l), weight) // [rows, classes]
        const spread = smoothing === 0 ? likely : sub(likely, mul(weight, smoothing / classes))
        // From the label's own number, not from `spread`: so the loss is computed before the gradient, which may take its memory.
        const less = mul(g, sub(exp(own), 1 - smoothing + smoothing / classes)) // [rows]
        return tensorScatterUpdate(spread, places, less)
      },
    }
  })(logits)
}
