import { type Tensor, cast, div, expandDims, matMul, maximum, reshape, sum } from '@tensorflow/tfjs-core'

/** Each token's share of the mean: `[batch, length]`, rows sum to 1. */
const shares = (mask: Tensor): Tensor => div(mask, maximum(sum(mask, 1, true), 1))

/**
 * The mean of the states of the tokens that are not padding: `states` `[batch, length, hidden]` and `attentionMask` `[batch,
 * length]` to `[batch, hidden]`; zeros where a row is nothing but padding.
 */
export function meanState(states: Tensor, attentionMask: Tensor): Tensor {
  const [batch, , width] = states.shape as [number, number, number]
  return reshape(matMul(expandDims(shares(cast(attentionMask, 'float32')), 1), states), [batch, width])
}
