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

/** How distances between tokens are put into classes. */
export interface Buckets {
  /** How many there are. */
  readonly count: number
  /** Distance from which on all are in the same. */
  readonly maximumDistance: number
  /** Whether what stands after a token has buckets of its own; else it is as at distance 0. */
  readonly bothWays: boolean
}

/**
 * The bucket of `place`, a key's place less the query's: near distances have one each, farther ones share them by the
 * logarithm. It is computed in float32 as where the models were trained, which decides at the borders.
 * Source: Raffel et al., Exploring the Limits of Transfer Learning, 2020, section 2.1.
 */
export function bucketOf(place: number, { count, maximumDistance, bothWays }: Buckets): number {
  const size = bothWays ? count / 2 : count
  const first = bothWays && place > 0 ? size : 0
  const distance = bothWays ? Math.abs(place) : Math.max(0, -place)
  const exact = Math.floor(size / 2)
  if (distance < exact) return first + distance
  const f32 = Math.fround
  const share = f32(f32(Math.log(f32(distance / exact))) / f32(Math.log(maximumDistance / exact)))
  return first + Math.min(size - 1, exact + Math.floor(f32(share * (size - exact))))
}

/**
 * What is added to attention scores for how far keys stand from queries, `[1, heads, queries, keys]`, from the table
 * `name.weight` `[buckets, heads]`. Queries stand at `start` (default: 0) and after it, keys from 0 on.
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
  const places = range(0, queries, 1, 'int32')
  const rows = start === undefined ? places : add(places, start)
  const apart = sub(expandDims(range(0, keys, 1, 'int32'), 0), expandDims(rows, 1)) // [queries, keys]
  const whole = (n: number): Tensor => scalar(n, 'int32')
  const near = add(minimum(maximum(apart, whole(-far)), whole(far)), whole(far))
  const ids = gather(tensor1d(all, 'int32'), near as Tensor & { dtype: 'int32' })
  const values = embedding(params, name, ids) // [queries, keys, heads]
  return expandDims(transpose(values, [2, 0, 1]), 0)
}
