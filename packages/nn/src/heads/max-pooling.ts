import { type Tensor, cast, customGrad, div, equal, expandDims, max, mul, squeeze, sum } from '@tensorflow/tfjs-core'

/**
 * Max pooling over the positions, `[batch, length, hidden]` to `[batch, hidden]`. The gradient is split evenly among
 * ties, as in PyTorch's `amax`; TF.js passes all of it to each.
 */
export const maxPool = (x: Tensor): Tensor =>
  customGrad((input, save) => {
    const all = input as Tensor
    const top = max(all, 1, true)
    ;(save as (tensors: Tensor[]) => void)([all, top])
    return {
      value: squeeze(top, [1]),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const tops = cast(equal(saved[0]!, saved[1]!), 'float32')
        return mul(div(tops, sum(tops, 1, true)), expandDims(g, 1))
      },
    }
  })(x)
