import { type Tensor, customGrad, exp, mul, neg, softplus } from '@tensorflow/tfjs-core'

/**
 * Log-sigmoid, `ln σ(x) = −softplus(−x)`, finite for all x. Its gradient is `σ(−x)`, which does not vanish where σ(x)
 * underflows; computed as `exp(−softplus(x))`, since engines approximate small values of the sigmoid with an absolute error only.
 */
export const logSigmoid = (x: Tensor): Tensor =>
  customGrad((input, save) => {
    const value = input as Tensor
    ;(save as (tensors: Tensor[]) => void)([value])
    return {
      value: neg(softplus(neg(value))),
      gradFunc: (g: Tensor, saved: Tensor[]) => mul(g, exp(neg(softplus(saved[0]!)))),
    }
  })(x)
