import { type Params } from '@attune/core'
import { embedding } from '@attune/nn'
import {
  type Tensor,
  add,
  expandDims,
  gather,
  maximum,
  minimum,
  range,
  scalar,
  sub,
  tensor1d,
  transpose,
} from '@tensorflow/tfjs-core'

/** Settings of the buckets of relative positions. */
export interface Buckets {
  /** Number of buckets. */
  readonly count: number
  /** Distance beyond which all share a bucket. */
  readonly maximumDistance: number
  /** True if later tokens have buckets of their own; otherwise they count as distance 0. */
  readonly bothWays: boolean
}

/**
 * The bucket of a relative position, the key's position minus the query's: small distances have a bucket each, larger ones share
 * buckets logarithmically. Computed in float32, as in the original implementation, which decides at the boundaries.
 * Source: Raffel et al., Exploring the Limits of Transfer Learning, 2020, section 2.1.
 */
export function bucketOf(relative: number, { count, maximumDistance, bothWays }: Buckets): number {
  const size = bothWays ? count / 2 : count
  const first = bothWays && relative > 0 ? size : 0
  const distance = bothWays ? Math.abs(relative) : Math.max(0, -relative)
  const exact = Math.floor(size / 2)
  if (distance < exact) return first + distance
  const f32 = Math.fround
  const fraction = f32(f32(Math.log(f32(distance / exact))) / f32(Math.log(maximumDistance / exact)))
  return first + Math.min(size - 1, exact + Math.floor(f32(fraction * (size - exact))))
}

/**
 * Relative position bias, `[1, heads, queries, keys]`, from the table `name.weight` `[buckets, heads]`. Keys are at positions from 0,
 * queries from `start` (default: the queries are the last keys).
 */
export function positionBias(
  params: Params,
  name: string,
  buckets: Buckets,
  [queries, keys]: readonly [number, number],
  start?: Tensor,
): Tensor {
  const far = buckets.maximumDistance
  const all = Int32Array.from({ length: 2 * far + 1 }, (_, i) => bucketOf(i - far, buckets))
  const first = start === undefined ? keys - queries : 0
  const positions = range(first, first + queries, 1, 'int32')
  const rows = start === undefined ? positions : add(positions, start)
  const apart = sub(expandDims(range(0, keys, 1, 'int32'), 0), expandDims(rows, 1)) // [queries, keys]
  const integer = (n: number): Tensor => scalar(n, 'int32')
  const near = add(minimum(maximum(apart, integer(-far)), integer(far)), integer(far))
  const ids = gather(tensor1d(all, 'int32'), near as Tensor & { dtype: 'int32' })
  const values = embedding(params, name, ids) // [queries, keys, heads]
  return expandDims(transpose(values, [2, 0, 1]), 0)
}
