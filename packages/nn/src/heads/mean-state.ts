import { type Tensor, cast, div, expandDims, matMul, maximum, reshape, sum } from '@tensorflow/tfjs-core'

/** Weight of each token in the mean: `[batch, length]`, each row sums to 1. */
const tokenWeights = (mask: Tensor): Tensor => div(mask, maximum(sum(mask, 1, true), 1))

/**
 * Mean pooling over the tokens that are not padding: `states` `[batch, length, hidden]` and `attentionMask` `[batch,
 * length]` to `[batch, hidden]`; zeros for a row of padding.
 */
export function meanPool(states: Tensor, attentionMask: Tensor): Tensor {
  const [batch, , width] = states.shape as [number, number, number]
  return reshape(matMul(expandDims(tokenWeights(cast(attentionMask, 'float32')), 1), states), [batch, width])
}
