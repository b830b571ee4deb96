import { type Tensor, customGrad } from '@tensorflow/tfjs-core'

/**
 * Returns the result of `compute` without recording it on the gradient tape: no intermediates are kept and no
 * gradient passes through.
 */
export const withoutGradient = (compute: () => Tensor): Tensor =>
  customGrad(() => ({ value: compute(), gradFunc: () => [] }))()
