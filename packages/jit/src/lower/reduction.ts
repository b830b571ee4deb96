import type { Builder } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import { type Call, type Lowerings, cast, concat, full, mul, pieces, reshape, scalar } from './lowering.js'

/** Axes as TF.js gives them: one, several or, for all, none. */
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

const reduction =
  (op: string, empty: number) =>
  ({ b, in: input, attr }: Call): Value => {
    const x = input('x')
    // Of all kernels the maximum alone has another word for its axes.
    const axes = axesOf(x, attr<number | number[] | undefined>('axis') ?? attr('reductionIndices'))
    const keep = attr<boolean | undefined>('keepDims') === true
    if (sizeOf(x.shape) > 0) return reduce(b, op, x, axes, keep)
    const shape = keep ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : x.shape.filter((_, i) => !axes.includes(i))
    return full(b, x.dtype, shape, empty)
  }

/** Over booleans, as whole numbers. */
const logical =
  (op: string) =>
  ({ b, in: input, attr }: Call): Value => {
    const x = cast(b, input('x'), 'int32')
    const keep = attr<boolean | undefined>('keepDims') === true
    return cast(b, reduce(b, op, x, axesOf(x, attr('axis')), keep), 'bool')
  }

const extremum =
  (op: string) =>
  ({ b, in: input, attr }: Call): Value => {
    const x = input('x')
    const [axis = 0] = axesOf(x, attr<number | number[]>('axis'))
    const shape = x.shape.filter((_, i) => i !== axis)
    const attributes = { axis: { int: axis }, keepdims: { int: 0 } }
    return cast(b, b.node(op, [x], { dtype: 'int64', shape }, { attributes }), 'int32')
  }

/** Products of all numbers so far. ONNX has no such operation, so they are made one by one. */
function runningProduct({ b, in: input, attr }: Call): Value {
  const x = input('x')
  const [axis = 0] = axesOf(x, attr<number>('axis'))
  const [exclusive, reverse] = [attr<boolean>('exclusive'), attr<boolean>('reverse')]
  const parts = pieces(b, x, new Array<number>(x.shape[axis]!).fill(1), axis)
  const ordered = reverse ? [...parts].reverse() : parts
  const products: Value[] = []
  let product = full(b, x.dtype, parts[0]!.shape, 1)
  for (const part of ordered) {
    const next = mul(b, product, part)
    products.push(exclusive ? product : next)
    product = next
  }
  return concat(b, reverse ? products.reverse() : products, axis)
}

function running({ b, in: input, attr }: Call): Value {
  const x = input('x')
  const flag = (name: string): { int: number } => ({ int: attr<boolean>(name) ? 1 : 0 })
  const axis = scalar(b, 'int32', axesOf(x, attr<number>('axis'))[0] ?? 0)
  return b.node('CumSum', [x, axis], x, { attributes: { exclusive: flag('exclusive'), reverse: flag('reverse') } })
}

/** Operations that make many numbers into fewer, or into ones that depend on all. */
export const reductions: Lowerings = {
  Sum: reduction('ReduceSum', 0),
  Mean: (call) => {
    const x = call.in('x')
    const input = (name: string): Value => cast(call.b, call.in(name), 'float32')
    return reduction('ReduceMean', sizeOf(x.shape) === 0 ? NaN : 0)({ ...call, in: input })
  },
  Max: reduction('ReduceMax', -Infinity),
  Min: reduction('ReduceMin', Infinity),
  Prod: reduction('ReduceProd', 1),
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: extremum('ArgMax'),
  ArgMin: extremum('ArgMin'),
  Cumsum: running,
  Cumprod: runningProduct,
  Softmax: ({ b, in: input }) => {
    const x = input('logits')
    return b.node('Softmax', [x], x, { attributes: { axis: { int: x.shape.length - 1 } } })
  },
}
