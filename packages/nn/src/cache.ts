import type { Cache, TextInputs } from '@attune/core'
import {
  type Tensor,
  add,
  clipByValue,
  expandDims,
  gather,
  greaterEqual,
  less,
  logicalAnd,
  range,
  reshape,
  sub,
  where,
  zeros,
} from '@tensorflow/tfjs-core'

/** An empty cache: keys and values of every layer, `[batch, heads, capacity, headSize]`, all zero. */
export const emptyCache = (layers: number, shape: readonly [number, number, number, number]): Cache =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, i) =>
      ['key', 'value'].map((name) => [`${i}.${name}`, zeros([...shape])]),
    ).flat(),
  ) as Cache

/**
 * `held` `[batch, heads, capacity, size]` with `added` `[batch, heads, length, size]` in the slots from `start` on.
 */
export function writeCache(held: Tensor, added: Tensor, start: Tensor): Tensor {
  const [capacity, length] = [held.shape[2] as number, added.shape[2] as number]
  const slots = sub(range(0, capacity, 1, 'int32'), start) // [capacity]
  const mine = reshape(logicalAnd(greaterEqual(slots, 0), less(slots, length)), [1, 1, capacity, 1])
  const spread =
    length === 1 ? added : gather(added, clipByValue(slots, 0, length - 1) as Tensor & { dtype: 'int32' }, 2)
  return where(mine, spread, held)
}

/** Where the tokens of a batch stand in their texts, when nothing else is said: int32 `[1, length]`. */
export function defaultPositions({ inputIds, cacheStart }: TextInputs): Tensor {
  const places = range(0, inputIds.shape[1] as number, 1, 'int32')
  return expandDims(cacheStart === undefined ? places : add(places, cacheStart), 0)
}
