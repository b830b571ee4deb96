import {
  type Tensor,
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
 * The cross-entropy of each row: `−log softmax(logits)[label]`, from `logits` `[rows, classes]` and int32 `labels`
 * `[rows]`; the result is `[rows]`. The gradient, `softmax(logits) − onehot(labels)`, is given in closed form.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const classes = logits.shape.at(-1) as number
  return customGrad((input, save) => {
    const logProbabilities = logSoftmax(input as Tensor)
    // TF.js' oneHot refuses a single class.
    const target = cast(equal(reshape(labels, [-1, 1]), range(0, classes, 1, 'int32')), 'float32') // [rows, classes]
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
