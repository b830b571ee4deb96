import type { Cache, TextInputs } from '@attune/core'
import {
  type Rank,
  type Tensor,
  add,
  expandDims,
  mul,
  range,
  reshape,
  tensor2d,
  tensorScatterUpdate,
  zeros,
} from '@tensorflow/tfjs-core'
/** Empty KV cache: keys and values of every layer, `[batch, heads, capacity, headSize]`, all zero. */
export const emptyCache = (layers: number, shape: readonly [number, number, number, number]): Cache =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, i) =>
      ['key', 'value'].map((name) => [`${i}.${name}`, zeros([...shape])]),
    ).flat(),
  ) as Cache

/** Index of each entry of `[batch, heads, length]`: int32 `[batch · heads · length, 3]`. */
function indicesOf(batch: number, heads: number, length: number): Tensor {
  const rows = Array.from({ length: batch * heads * length }, (_, i) => [
    Math.floor(i / (heads * length)),
    Math.floor(i / length) % heads,
    i % length,
  ])
  return tensor2d(rows, [rows.length, 3], 'int32')
}

/**
 * Writes `added` `[batch, heads, length, size]` to the slots of the KV cache `held` `[batch, heads, capacity, size]`
 * from `start` on, an int32 scalar. `start + length` must be at most `capacity`.
 */
export function writeCache(held: Tensor, added: Tensor, start: Tensor): Tensor {
  const [batch, heads, length, size] = added.shape as [number, number, number, number]
  const offset = mul(reshape(start, [1, 1]), tensor2d([[0, 0, 1]], [1, 3], 'int32')) // only the slot axis is offset
  const indices = add(indicesOf(batch, heads, length), offset)
  // TF.js' CPU backend writes into its argument, so it receives a copy; the compiler removes a product with 1.
  return tensorScatterUpdate(mul(held, 1), indices as Tensor<Rank.R2>, reshape(added, [-1, size]))
}

/** Default position ids of a batch, int32 `[1, length]`: 0, 1, …, offset by `cacheStart` if there is one. */
export function defaultPositions({ inputIds, cacheStart }: TextInputs): Tensor {
  const positions = range(0, inputIds.shape[1] as number, 1, 'int32')
  return expandDims(cacheStart === undefined ? positions : add(positions, cacheStart), 0)
}
