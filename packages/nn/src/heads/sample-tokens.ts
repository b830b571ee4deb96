import { type Tensor, cast, cumsum, lessEqual, minimum, reshape, softmax, sum } from '@tensorflow/tfjs-core'
import { withoutGradient } from '../engine/without-gradient.js'

/**
 * Tokens sampled from the softmax of `logits` `[rows, vocabulary]` by inverse transform sampling: the first token whose cumulative
 * probability exceeds the row's number in `uniforms` `[rows]`, in [0, 1). The result, int32 `[rows]`, is a constant of the gradient.
 */
export const sampleTokens = (logits: Tensor, uniforms: Tensor): Tensor =>
  withoutGradient(() => {
    const isPassed = lessEqual(cumsum(softmax(logits), 1), reshape(uniforms, [-1, 1])) // [rows, vocabulary]
    // Rounding may leave the sum of all probabilities below 1.
    return cast(minimum(sum(cast(isPassed, 'float32'), 1), (logits.shape[1] as number) - 1), 'int32')
  })
