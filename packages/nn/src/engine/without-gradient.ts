import { type Tensor, customGrad } from '@tensorflow/tfjs-core'

/** What `compute` gives, as a constant: nothing in it is kept for a gradient, and none goes through it. */
export const withoutGradient = (compute: () => Tensor): Tensor =>
  customGrad(() => ({ value: compute(), gradFunc: () => [] }))()
