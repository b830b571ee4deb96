import { type Tensor, clone, customGrad, zerosLike } from '@tensorflow/tfjs-core'

/** `x`, of any shape, as a constant: no gradient passes through it. */
export const stopGradient = (x: Tensor): Tensor =>
  customGrad((input) => ({ value: clone(input as Tensor), gradFunc: (g: Tensor) => zerosLike(g) }))(x)
