import { type Tensor, abs, mul, minimum, sign, square, sub } from '@tensorflow/tfjs-core'
import { rowMeans } from './per-class.js'

/**
 * Squared error of each row, the mean of `(output − target)²` over its values, from two tensors `[rows]` or
 * `[rows, width]`; the result is `[rows]`. A mean, not the sum that some textbooks print under the name of mean squared
 * error, and without a factor ½. As torch.nn.functional.mse_loss.
 */
export const squaredError = (outputs: Tensor, targets: Tensor): Tensor => rowMeans(square(sub(outputs, targets)))

/**
 * Absolute error of each row, the mean of `|output − target|` over its values, with the shapes of {@link squaredError};
 * its gradient at 0 is 0. As torch.nn.functional.l1_loss.
 */
export function absoluteError(outputs: Tensor, targets: Tensor): Tensor {
  const difference = sub(outputs, targets)
  return rowMeans(mul(difference, sign(difference))) // TF.js' gradient of abs is −1 at 0.
}

/**
 * Huber loss of each row, the mean over its values of `d² / 2` where `d = |output − target| ≤ δ`, and of `δ · (d − δ / 2)`
 * elsewhere, with the shapes of {@link squaredError}. As torch.nn.functional.huber_loss; `smooth_l1_loss` is this loss
 * divided by δ.
 * Source: Huber, Robust Estimation of a Location Parameter, 1964, section 4.
 * @param delta δ > 0, in the unit of the targets
 */
export function huberLoss(outputs: Tensor, targets: Tensor, delta: number | Tensor): Tensor {
  const difference = abs(sub(outputs, targets))
  const inner = minimum(difference, delta)
  return rowMeans(mul(inner, sub(difference, mul(inner, 0.5))))
}
