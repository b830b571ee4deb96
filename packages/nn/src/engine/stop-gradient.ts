import { type Tensor, clone, customGrad, zerosLike } from '@tensorflow/tfjs-core'

/** Stop-gradient: returns `x`, of any shape, and blocks its gradient. */
export const stopGradient = (x: Tensor): Tensor =>
  customGrad((input) => ({ value: clone(input as Tensor), gradFunc: (g: Tensor) => zerosLike(g) }))(x)
