import { type Tensor, customGrad, mul, neg, sigmoid, softplus } from '@tensorflow/tfjs-core'

/**
 * Log-sigmoid, `ln σ(x) = −softplus(−x)`, finite for all x. Its gradient is `σ(−x)`, which does not vanish where σ(x)
 * underflows.
 */
export const logSigmoid = (x: Tensor): Tensor =>
  customGrad((input, save) => {
    const value = input as Tensor
    ;(save as (tensors: Tensor[]) => void)([value])
    return {
      value: neg(softplus(neg(value))),
      gradFunc: (g: Tensor, saved: Tensor[]) => mul(g, sigmoid(neg(saved[0]!))),
    }
  })(x)
