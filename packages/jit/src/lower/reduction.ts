import type { Builder } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import {
  type Call,
  type Lowerings,
  cast,
  concat,
  full,
  mul,
  splitSizes,
  reshape,
  scalar,
  unary,
  where,
} from './lowering.js'

/** Normalises axes of TF.js: one, several or, for all axes, none. */
const axesOf = (x: Value, axis: number | readonly number[] | undefined | null): number[] => {
  const rank = x.shape.length
  const axes = axis == null ? x.shape.map((_, i) => i) : typeof axis === 'number' ? [axis] : axis
  return axes.map((a) => (a < 0 ? a + rank : a))
}

export function reduce(b: Builder, op: string, x: Value, axes: readonly number[], keep: boolean): Value {
  const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n))
  const shape = keep ? kept : x.shape.filter((_, i) => !axes.includes(i))
  if (axes.every((axis) => x.shape[axis] === 1)) return reshape(b, x, shape)
  const attributes = { keepdims: { int: keep ? 1 : 0 } }
  return b.node(op, [x, b.constant('int64', axes)], { dtype: x.dtype, shape }, { attributes })
}

/**
 * Maximum or minimum, which is NaN if a value is NaN: ONNX Runtime forgets some of them. The sum of the values clamped
 * to [0, 1] is NaN in exactly that case, and both operations are fast. See `simplify/without-nan.ts` for sums of
 * exponentials, which need no such check.
 */
function extreme(b: Builder, op: string, x: Value, axes: readonly number[], keep: boolean): Value {
  const found = reduce(b, op, x, axes, keep)
  if (x.dtype !== 'float32' || axes.every((axis) => x.shape[axis] === 1)) return found
  const clamped = unary(b, 'HardSigmoid', x, { attributes: { alpha: { float: 1 }, beta: { float: 0 } } })
  const total = reduce(b, 'ReduceSum', clamped, axes, keep)
  return where(b, b.node('IsNaN', [total], { dtype: 'bool', shape: total.shape }), total, found)
}

/** Neutral element of a reduction, by type: its result for an empty input. */
type Neutral = Readonly<Record<'float32' | 'int32', number>>

const both = (n: number): Neutral => ({ float32: n, int32: n })
const LOWEST: Neutral = { float32: -Infinity, int32: -(2 ** 31) }
const HIGHEST: Neutral = { float32: Infinity, int32: 2 ** 31 - 1 }

/** Reduction. Booleans are reduced as integers. */
const reduction =
  (op: string, neutral: Neutral) =>
  ({ b, in: input, attr }: Call): Value => {
    const given = input('x')
    const x = given.dtype === 'bool' ? cast(b, given, 'int32') : given
    // Only the kernel Max names its axes differently.
    const axes = axesOf(x, attr<number | number[] | undefined>('axis') ?? attr('reductionIndices'))
    const keep = attr<boolean | undefined>('keepDims') === true
    const lower = op === 'ReduceMax' || op === 'ReduceMin' ? extreme : reduce
    if (sizeOf(x.shape) > 0) return cast(b, lower(b, op, x, axes, keep), given.dtype)
    const shape = keep ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : x.shape.filter((_, i) => !axes.includes(i))
    return cast(b, full(b, x.dtype, shape, neutral[x.dtype as 'int32']), given.dtype)
  }

/**
 * Index of the maximum or minimum; 0 for an empty input. As in TF.js, NaN is only chosen as the first value. Of ONNX
 * Runtime's operations, TopK compares floats in this way and ArgMax does not.
 */
const extremum =
  (op: 'ArgMax' | 'ArgMin') =>
  ({ b, in: input, attr }: Call): Value => {
    const x = input('x').dtype === 'bool' ? cast(b, input('x'), 'int32') : input('x')
    const [axis = 0] = axesOf(x, attr<number | number[]>('axis'))
    const shape = x.shape.filter((_, i) => i !== axis)
    if (sizeOf(x.shape) <= 1) return full(b, 'int32', shape, 0)
    if (x.dtype === 'float32') {
      const attributes = { axis: { int: axis }, largest: { int: op === 'ArgMax' ? 1 : 0 } }
      const first = x.shape.map((n, i) => (i === axis ? 1 : n))
      const types = [x.dtype, 'int64' as const].map((dtype) => ({ dtype, shape: first }))
      const [, at] = b.nodes('TopK', [x, b.constant('int64', [1])], types, { attributes })
      return reshape(b, cast(b, at!, 'int32'), shape)
    }
    const attributes = { axis: { int: axis }, keepdims: { int: 0 } }
    return cast(b, b.node(op, [x], { dtype: 'int64', shape }, { attributes }), 'int32')
  }

/** Input and axis of a cumulative sum or product. */
function line({ b, in: input, attr }: Call): { x: Value; axis: number } {
  const given = input('x').dtype === 'bool' ? cast(b, input('x'), 'int32') : input('x')
  const x = given.shape.length === 0 ? reshape(b, given, [1]) : given
  return { x, axis: axesOf(x, attr<number>('axis'))[0] ?? 0 }
}

/** Cumulative product. ONNX has no such operation, so it is composed of single products. */
function cumulativeProduct(call: Call): Value {
  const { b, in: input, attr } = call
  const { x, axis } = line(call)
  if (sizeOf(x.shape) === 0) return x
  const [exclusive, reverse] = [attr<boolean>('exclusive'), attr<boolean>('reverse')]
  const parts = splitSizes(b, x, new Array<number>(x.shape[axis]!).fill(1), axis)
  const ordered = reverse ? [...parts].reverse() : parts
  const products: Value[] = []
  let product = full(b, x.dtype, parts[0]!.shape, 1)
  for (const part of ordered) {
    const next = mul(b, product, part)
    products.push(exclusive ? product : next)
    product = next
  }
  return reshape(b, concat(b, reverse ? products.reverse() : products, axis), input('x').shape)
}

function cumulativeSum(call: Call): Value {
  const { b, in: input, attr } = call
  const { x, axis } = line(call)
  const flag = (name: string): { int: number } => ({ int: attr<boolean>(name) ? 1 : 0 })
  const attributes = { exclusive: flag('exclusive'), reverse: flag('reverse') }
  return reshape(b, b.node('CumSum', [x, scalar(b, 'int32', axis)], x, { attributes }), input('x').shape)
}

/** Reductions, cumulative operations and softmax. */
export const reductions: Lowerings = {
  Sum: reduction('ReduceSum', both(0)),
  Mean: (call) => {
    const input = (name: string): Value => cast(call.b, call.in(name), 'float32')
    return reduction('ReduceMean', both(NaN))({ ...call, in: input })
  },
  Max: reduction('ReduceMax', LOWEST),
  Min: reduction('ReduceMin', HIGHEST),
  Prod: reduction('ReduceProd', both(1)),
  All: reduction('ReduceMin', both(1)),
  Any: reduction('ReduceMax', both(0)),
  ArgMax: extremum('ArgMax'),
  ArgMin: extremum('ArgMin'),
  Cumsum: cumulativeSum,
  Cumprod: cumulativeProduct,
  Softmax: ({ b, in: input }) => {
    const x = input('logits')
    return b.node('Softmax', [x], x, { attributes: { axis: { int: x.shape.length - 1 } } })
  },
}
