import { type Tensor, clone, customGrad, mul, neg } from '@tensorflow/tfjs-core'

/**
 * Gradient reversal: returns `x`, of any shape, and multiplies its gradient by `−strength`. What follows minimizes its loss, what precedes
 * `x` maximizes it. `strength` is ≥ 0; as a tensor `[]` it may differ from step to step.
 * Source: Ganin et al., Domain-Adversarial Training of Neural Networks, 2016, section 4.2.
 */
export const reverseGradient = (x: Tensor, strength: number | Tensor): Tensor =>
  customGrad((input, save) => {
    ;(save as (tensors: Tensor[]) => void)(typeof strength === 'number' ? [] : [strength])
    return {
      value: clone(input as Tensor),
      gradFunc: (gradient: Tensor, saved: Tensor[]) => neg(mul(gradient, saved[0] ?? strength)),
    }
  })(x)
