import { type Tensor, add, argMax, cast, div, expandDims, matMul, maximum, mul, range } from '@tensorflow/tfjs-core'
import { reshape, sqrt, sub, sum } from '@tensorflow/tfjs-core'
import { hiddenStatesAt } from './hidden-states-at.js'
import { maxPool } from './max-pooling.js'
import { meanPool } from './mean-state.js'

/** Pooling modes, by their names in sentence-transformers. */
export const poolingModes = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const

/** A pooling mode. */
export type PoolingMode = (typeof poolingModes)[number]

/** Added to the states that max pooling ignores. */
const FAR_BELOW = 1e30

/** Sum of the states with the weights of their tokens, `[batch, length, hidden]` and `[batch, length]` to `[batch, hidden]`. */
function weightedSum(states: Tensor, weights: Tensor): Tensor {
  const [batch, , width] = states.shape as [number, number, number]
  return reshape(matMul(expandDims(weights, 1), states), [batch, width])
}

/** State at the first largest value of each row, `[batch, length]`, int32. */
const stateAtMaximum = (states: Tensor, values: Tensor): Tensor =>
  hiddenStatesAt(states, reshape(argMax(values, 1), [-1, 1]))

/** 1, 2, … for the positions of a text, 0 for those that are not pooled: `[batch, length]`, int32. */
const numbered = (mask: Tensor): Tensor => mul(mask, range(1, (mask.shape[1] as number) + 1, 1, 'int32'))

const POOLINGS: Readonly<Record<PoolingMode, (states: Tensor, mask: Tensor) => Tensor>> = {
  cls: stateAtMaximum,
  max: (states, mask) => maxPool(add(states, expandDims(mul(sub(cast(mask, 'float32'), 1), FAR_BELOW), 2))),
  mean: meanPool,
  mean_sqrt_len_tokens(states, mask) {
    const weights = cast(mask, 'float32')
    return div(weightedSum(states, weights), sqrt(maximum(sum(weights, 1, true), 1)))
  },
  weightedmean(states, mask) {
    const weights = cast(numbered(mask), 'float32')
    return div(weightedSum(states, weights), maximum(sum(weights, 1, true), 1))
  },
  lasttoken: (states, mask) => stateAtMaximum(states, numbered(mask)),
}

/**
 * Text embedding from the states of its tokens, `[batch, length, hidden]` to `[batch, hidden]`: the state of the first token (`cls`) or the
 * last (`lasttoken`), the maximum (`max`) or the mean of all (`mean`), their sum divided by the square root of their number
 * (`mean_sqrt_len_tokens`), or their mean weighted by position, counted from 1 (`weightedmean`).
 * @param mask `[batch, length]`, int32: 1 for the tokens to pool, 0 for padding and other tokens to ignore. Texts begin in the first column
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { pool } from '@attune/nn'
 * import { tensor2d, tensor3d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const states = tensor3d([[[1], [4], [100]]])
 * const mask = tensor2d([[1, 1, 0]], undefined, 'int32')
 * console.log(pool('weightedmean', states, mask).arraySync()) // [ [ 3 ] ]
 * ```
 */
export const pool = (mode: PoolingMode, states: Tensor, mask: Tensor): Tensor => POOLINGS[mode](states, mask)
