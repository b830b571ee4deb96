import { type Tensor, add, range, reshape } from '@tensorflow/tfjs-core'
import { takeRows } from '../layers/embedding.js'

/** Hidden states `[batch, length, hidden]` at int32 `positions` `[batch, n]` of each text: `[batch · n, hidden]`. */
export function hiddenStatesAt(states: Tensor, positions: Tensor): Tensor {
  const [batch, length, hidden] = states.shape as [number, number, number]
  const starts = reshape(range(0, batch * length, length, 'int32'), [batch, 1])
  return takeRows(reshape(states, [batch * length, hidden]), reshape(add(positions, starts), [-1]))
}
