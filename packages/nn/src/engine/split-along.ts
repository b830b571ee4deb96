import { type Tensor, squeeze, unstack } from '@tensorflow/tfjs-core'

/** Unstacks a tensor along an axis, also if its size is 1, for which TF.js' gradient fails. */
export const splitAlong = (x: Tensor, axis: number): Tensor[] =>
  x.shape[axis] === 1 ? [squeeze(x, [axis])] : unstack(x, axis)
