import {
  type Tensor,
  add,
  cast,
  customGrad,
  equal,
  exp,
  logSoftmax,
  mul,
  neg,
  range,
  reshape,
  sub,
  sum,
} from '@tensorflow/tfjs-core'

/**
 * The cross-entropy of each row: `−Σ target · log softmax(logits)`, from `logits` `[rows, classes]` and int32 `labels` `[rows]`;
 * the result is `[rows]`. The target is 1 for the label and 0 for others, or `1 − smoothing` and `smoothing / classes` for each
 * class, the label's too. The gradient, `softmax(logits) − target`, is given in closed form.
 * Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7 (smoothing).
 * @param smoothing in [0, 1)
 */
export function crossEntropy(logits: Tensor, labels: Tensor, smoothing = 0): Tensor {
  const classes = logits.shape.at(-1) as number
  return customGrad((input, save) => {
    const logProbabilities = logSoftmax(input as Tensor)
    // TF.js' oneHot refuses a single class.
    const one = cast(equal(reshape(labels, [-1, 1]), range(0, classes, 1, 'int32')), 'float32') // [rows, classes]
    const target = smoothing === 0 ? one : add(mul(one, 1 - smoothing), smoothing / classes)
    ;(save as (tensors: Tensor[]) => void)([logProbabilities, target])
    return {
      value: neg(sum(mul(logProbabilities, target), -1)),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [l, t] = saved as [Tensor, Tensor]
        return mul(reshape(g, [-1, 1]), sub(exp(l), t))
      },
    }
  })(logits)
}
