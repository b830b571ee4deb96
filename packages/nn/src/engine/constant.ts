import { type Tensor, clone, customGrad, zerosLike } from '@tensorflow/tfjs-core'

/** `x`, of any shape, as something that is not trained: no gradient passes through. */
export const constant = (x: Tensor): Tensor =>
  customGrad((input) => ({ value: clone(input as Tensor), gradFunc: (g: Tensor) => zerosLike(g) }))(x)
