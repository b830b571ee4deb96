import { type Tensor, add, range, reshape } from '@tensorflow/tfjs-core'
import { takeRows } from '../layers/embedding.js'

/** The states `[batch, length, hidden]` of some tokens of each text, int32 `places` `[batch, n]`: `[batch · n, hidden]`. */
export function hiddenStatesAt(states: Tensor, places: Tensor): Tensor {
  const [batch, length, hidden] = states.shape as [number, number, number]
  const starts = reshape(range(0, batch * length, length, 'int32'), [batch, 1])
  return takeRows(reshape(states, [batch * length, hidden]), reshape(add(places, starts), [-1]))
}
