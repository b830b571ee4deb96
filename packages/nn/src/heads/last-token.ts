import type { TextInputs } from '@attune/core'
import { type Tensor, argMax, mul, range, reshape, slice } from '@tensorflow/tfjs-core'
import { hiddenStatesAt } from './hidden-states-at.js'

/**
 * Hidden state of the last token of each text that is not padding, `[batch, length, hidden]` to `[batch, hidden]`;
 * with a cache, that of the last token read. The classification head of a decoder reads it.
 */
export function lastToken(states: Tensor, { attentionMask, cache }: TextInputs): Tensor {
  const [batch, length, hidden] = states.shape as [number, number, number]
  if (cache !== undefined) return reshape(slice(states, [0, length - 1, 0], [-1, 1, -1]), [batch, hidden])
  const positions = argMax(mul(attentionMask, range(1, length + 1, 1, 'int32')), 1) // [batch], int32
  return hiddenStatesAt(states, reshape(positions, [batch, 1]))
}
