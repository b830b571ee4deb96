import type { Cache, TextInputs } from '@attune/core'
import {
  type Rank,
  type Tensor,
  add,
  concat,
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
 * from `start` on, an int32 scalar. `start + length` must be at most `capacity`. Without `start`, appends to the cache.
 */
export function writeCache(held: Tensor, added: Tensor, start: Tensor | undefined): Tensor {
  if (start === undefined) return concat([held, added], 2)
  const [batch, heads, length, size] = added.shape as [number, number, number, number]
  const offset = mul(reshape(start, [1, 1]), tensor2d([[0, 0, 1]], [1, 3], 'int32')) // only the slot axis is offset
  const indices = add(indicesOf(batch, heads, length), offset)
  // TF.js' CPU backend writes into its argument, so it receives a copy; the compiler removes a product with 1.
  return tensorScatterUpdate(mul(held, 1), indices as Tensor<Rank.R2>, reshape(added, [-1, size]))
}

/** Cache slot of each token, int32 `[length]`: 0, 1, …, offset by `cacheStart` or by the length of a full cache, if there is one. */
export function slotsOf({ inputIds, attentionMask, cache, cacheStart }: TextInputs): Tensor {
  const length = inputIds.shape[1] as number
  const first = cache === undefined || cacheStart !== undefined ? 0 : (attentionMask.shape[1] as number) - length
  const slots = range(first, first + length, 1, 'int32')
  return cacheStart === undefined ? slots : add(slots, cacheStart)
}

/** Default position ids of a batch, int32 `[1, length]`: the {@link slotsOf} its tokens. */
export const defaultPositions = (inputs: TextInputs): Tensor => expandDims(slotsOf(inputs), 0)
