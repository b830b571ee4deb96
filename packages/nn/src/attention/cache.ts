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
/** An empty cache: keys and values of every layer, `[batch, heads, capacity, headSize]`, all zero. */
export const emptyCache = (layers: number, shape: readonly [number, number, number, number]): Cache =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, i) =>
      ['key', 'value'].map((name) => [`${i}.${name}`, zeros([...shape])]),
    ).flat(),
  ) as Cache

/** For each number of `[batch, heads, length]` its place: int32 `[batch · heads · length, 3]`. */
function placesOf(batch: number, heads: number, length: number): Tensor {
  const rows = Array.from({ length: batch * heads * length }, (_, i) => [
    Math.floor(i / (heads * length)),
    Math.floor(i / length) % heads,
    i % length,
  ])
  return tensor2d(rows, [rows.length, 3], 'int32')
}

/**
 * `held` `[batch, heads, capacity, size]` with `added` `[batch, heads, length, size]` in the slots from `start` on, an int32
 * scalar; `start + length` is at most `capacity`.
 */
export function writeCache(held: Tensor, added: Tensor, start: Tensor): Tensor {
  const [batch, heads, length, size] = added.shape as [number, number, number, number]
  const offset = mul(reshape(start, [1, 1]), tensor2d([[0, 0, 1]], [1, 3], 'int32')) // only slots move
  const places = add(placesOf(batch, heads, length), offset)
  // TF.js' own backend writes into the tensor it is given, so that gets a copy; compiled, a product with 1 is nothing.
  return tensorScatterUpdate(mul(held, 1), places as Tensor<Rank.R2>, reshape(added, [-1, size]))
}

/** Where the tokens of a batch stand in their texts, when nothing else is said: int32 `[1, length]`. */
export function defaultPositions({ inputIds, cacheStart }: TextInputs): Tensor {
  const places = range(0, inputIds.shape[1] as number, 1, 'int32')
  return expandDims(cacheStart === undefined ? places : add(places, cacheStart), 0)
}
