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
 * Per-row cross-entropy, `−Σ target · log softmax(logits)`, from `logits` `[rows, classes]` and int32 `labels`
 * `[rows]`; the result is `[rows]`. A label is a class index, or −1 if unknown, which counts as class 0. With label
 * smoothing the target is `smoothing / classes` for every class, plus `1 − smoothing` for the label. The gradient,
 * `softmax(logits) − target`, is in closed form. Targets are never materialised: with a large vocabulary they would
 * take as much memory as the logits.
 * Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016, section 7 (smoothing).
 * @param smoothing in [0, 1)
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
export function crossEntropy(logits: Tensor, labels: Tensor, smoothing = 0): Tensor {
  const [rows, classes] = logits.shape as [number, number]
  return customGrad((input, save) => {
    const logProbabilities = logSoftmax(input as Tensor)
    const known = maximum(labels, scalar(0, 'int32'))
    const indices = stack([range(0, rows, 1, 'int32'), known], 1) // [rows, 2]: the index of each label's entry
    const ofLabels = gatherND(logProbabilities, indices) // [rows]
    ;(save as (tensors: Tensor[]) => void)([logProbabilities, indices, ofLabels])
    const ofAll = smoothing === 0 ? 0 : mul(mean(logProbabilities, -1), smoothing)
    return {
      value: neg(add(mul(ofLabels, 1 - smoothing), ofAll)),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [l, entries, own] = saved as [Tensor, Tensor, Tensor]
        const weight = reshape(g, [-1, 1])
        const likely = mul(exp(l), weight) // [rows, classes]
        const spread = smoothing === 0 ? likely : sub(likely, mul(weight, smoothing / classes))
        // From the label's own entry, not from `spread`: the loss is then computed before the gradient, which may reuse its memory.
        const less = mul(g, sub(exp(own), 1 - smoothing + smoothing / classes)) // [rows]
        return tensorScatterUpdate(spread, entries, less)
      },
    }
  })(logits)
}
