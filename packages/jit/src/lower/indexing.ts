import { type DataType, backend_util, gather_util, scatter_util, util } from '@tensorflow/tfjs-core'
import { elementType } from '../element-type.js'
import { type Builder, emptyValues } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import {
  type Call,
  type Lowerings,
  binary,
  cast,
  compare,
  full,
  mul,
  reshape,
  scalar,
  transpose,
  where,
} from './lowering.js'
import { reduce } from './reduction.js'

const { segment_util } = backend_util

const empty = (b: Builder, x: Value, shape: readonly number[]): Value =>
  b.array(x.dtype, emptyValues(x.dtype, 0), shape)

/**
 * Multi-indices into the first dimensions of a shape, in the last dimension of `at`; see {@link indicesWithin}.
 * @throws Error if a known index is out of range
 */
function pointsWithin(b: Builder, at: Value, shape: readonly number[]): Value {
  const depth = at.shape.at(-1) ?? 0
  if (at.constant !== undefined) {
    const values = Array.from(at.constant as Int32Array, Number)
    const wrong = values.find((index, i) => index < 0 || index >= shape[i % depth]!)
    util.assert(wrong === undefined, () => `the index value ${wrong} is out of range of the shape [${shape.join()}]`)
    return at
  }
  const before = binary(b, 'Sub', at, b.constant(at.dtype, shape.slice(0, depth)))
  return where(b, compare(b, 'Less', at, scalar(b, at.dtype, 0)), before, at)
}

/**
 * Indices into a dimension. ONNX Runtime rejects those beyond its end (a graph may be traced at lengths that it never runs at), but counts
 * negative ones from the end: they are moved before its beginning, which it rejects, too. @throws Error if a known index is negative
 */
function indicesWithin(b: Builder, at: Value, size: number): Value {
  if (at.constant !== undefined) {
    const wrong = Array.from(at.constant as Int32Array).find((index) => index < 0)
    util.assert(wrong === undefined, () => `GatherV2: the index value ${wrong} is not in [0, ${size - 1}]`)
    return at
  }
  const before = binary(b, 'Sub', at, scalar(b, at.dtype, size))
  return where(b, compare(b, 'Less', at, scalar(b, at.dtype, 0)), before, at)
}

function gather({ b, in: input, attr }: Call): Value {
  const x = input('x')
  const [axis, given] = [attr<number>('axis') ?? 0, attr<number | undefined>('batchDims') ?? 0]
  const [along] = util.parseAxisParam(axis, [...x.shape]) as [number]
  const { shape: indexShape } = input('indices')
  segment_util.collectGatherOpShapeInfo(x as never, input('indices') as never, along, given)
  const batch = given < 0 ? given + indexShape.length : given
  const at = indicesWithin(b, cast(b, input('indices'), 'int32'), x.shape[along]!)
  const shape = [...x.shape.slice(0, along), ...at.shape.slice(batch), ...x.shape.slice(along + 1)]
  if (sizeOf(shape) === 0) return empty(b, x, shape)
  if (batch === 0) return b.node('Gather', [x, at], { dtype: x.dtype, shape }, { attributes: { axis: { int: along } } })
  // ONNX gathers with batch dimensions only along the dimension after them.
  const order = [...x.shape.keys()].filter((i) => i < batch || i === along || (i > batch - 1 && i !== along))
  const front = [...order.slice(0, batch), along, ...order.slice(batch).filter((i) => i !== along)]
  const turned = transpose(b, x, front)
  const points = reshape(b, at, [...at.shape, 1])
  const found = [...at.shape, ...turned.shape.slice(batch + 1)]
  const rows = b.node(
    'GatherND',
    [turned, cast(b, points, 'int64')],
    { dtype: x.dtype, shape: found },
    { attributes: { batch_dims: { int: batch } } },
  )
  const [before, middle] = [along - batch, at.shape.length - batch]
  const back = [
    ...Array.from({ length: batch }, (_, i) => i),
    ...Array.from({ length: before }, (_, i) => batch + middle + i),
    ...Array.from({ length: middle }, (_, i) => batch + i),
    ...Array.from({ length: found.length - batch - middle - before }, (_, i) => batch + middle + before + i),
  ]
  return transpose(b, rows, back)
}

/** Flat row index of each multi-index along the leading dimensions. */
function rowNumbers(b: Builder, at: Value, leading: readonly number[]): Value {
  const rows = sizeOf(at.shape.slice(0, -1))
  const index = reshape(b, cast(b, at, 'int64'), [rows, leading.length])
  if (leading.length === 1) return index
  const strides = leading.map((_, i) => sizeOf(leading.slice(i + 1)))
  return reduce(b, 'ReduceSum', mul(b, index, b.constant('int64', strides)), [1], true)
}

/**
 * Scatter-add: adds rows of `updates` to zeros at the indices in the last dimension of `at`; repeated indices
 * accumulate. Uses ScatterElements: ScatterND of ONNX Runtime 1.30 adds rows on several threads without
 * synchronisation and loses some updates of repeated indices.
 */
function scatter(b: Builder, at: Value, updates: Value, shape: readonly number[]): Value {
  if (sizeOf(updates.shape) === 0 || sizeOf(shape) === 0) return full(b, updates.dtype, shape, 0)
  const depth = at.shape.at(-1)!
  const width = sizeOf(shape.slice(depth))
  const index = rowNumbers(b, at, shape.slice(0, depth))
  const [rows] = index.shape as [number]
  const everywhere = b.node('Expand', [index, b.constant('int64', [rows, width])], {
    dtype: 'int64',
    shape: [rows, width],
  })
  const type = { dtype: updates.dtype, shape: [sizeOf(shape.slice(0, depth)), width] }
  const attributes = { axis: { int: 0 }, reduction: { text: 'add' } }
  const inputs = [full(b, type.dtype, type.shape, 0), everywhere, reshape(b, updates, [rows, width])]
  return reshape(b, b.node('ScatterElements', inputs, type, { attributes }), shape)
}

/** Indices of a scatter as rows, and updates in the shape of what they replace: TF.js also takes one index per row. */
function rowsOf(b: Builder, indices: Value, updates: Value, shape: readonly number[]) {
  const { sliceRank } = scatter_util.calculateShapes(updates as never, indices as never, [...shape])
  const rows = indices.shape.length > 1 ? indices.shape.slice(0, -1) : [sizeOf(indices.shape)]
  const full = [...rows, ...shape.slice(sliceRank)]
  return {
    at: pointsWithin(b, reshape(b, cast(b, indices, 'int32'), [...rows, sliceRank]), shape),
    updates: sizeOf(updates.shape) === sizeOf(full) ? reshape(b, updates, full) : updates,
  }
}

/** True for a constant with all values in [0, count). */
const isWithin = ({ constant }: Value, count: number): boolean =>
  constant !== undefined && constant.every((n: number | bigint) => n >= 0 && n < count)

/** Segment sum. Rows with an id outside of the segments are ignored. */
function segmentSum({ b, in: input, attr }: Call): Value {
  const [x, ids, count] = [input('x'), input('segmentIds'), attr<number>('numSegments')]
  const rank = ids.shape.length
  const shape = [count, ...x.shape.slice(rank)]
  if (count === 0 || isWithin(ids, count)) return scatter(b, reshape(b, ids, [...ids.shape, 1]), x, shape)
  const zero = scalar(b, ids.dtype, 0)
  const [below, above] = [compare(b, 'Less', ids, zero), compare(b, 'GreaterOrEqual', ids, scalar(b, ids.dtype, count))]
  const none = binary(b, 'Or', below, above, 'bool')
  const at = reshape(b, where(b, none, zero, ids), [...ids.shape, 1])
  const alike = reshape(b, none, [...ids.shape, ...x.shape.slice(rank).map(() => 1)])
  return scatter(b, at, where(b, alike, scalar(b, x.dtype, 0), x), shape)
}

function oneHot({ b, in: input, attr }: Call): Value {
  const at = input('indices')
  const depth = attr<number>('depth')
  const dtype = attr<'float32' | 'int32' | 'bool' | undefined>('dtype') ?? 'int32'
  const shape = [...at.shape, depth]
  const classes = b.constant(
    'int32',
    Array.from({ length: depth }, (_, i) => i),
  )
  const column = reshape(b, at, [...at.shape, 1])
  const hit = b.node('Equal', [column, classes], { dtype: 'bool', shape })
  const [on, off] = [scalar(b, 'float32', attr('onValue')), scalar(b, 'float32', attr('offValue'))]
  return cast(b, b.node('Where', [hit, on, off], { dtype: 'float32', shape }), dtype)
}

function topK({ b, in: input, attr }: Call): readonly Value[] {
  const { dtype } = input('x')
  const x = dtype === 'bool' ? cast(b, input('x'), 'int32') : input('x')
  const k = attr<number>('k')
  const shape = [...x.shape.slice(0, -1), k]
  const types = [
    { dtype: x.dtype, shape },
    { dtype: 'int64', shape },
  ] as const
  const [values, at] = b.nodes('TopK', [x, b.constant('int64', [k])], types)
  return [cast(b, values!, dtype), cast(b, at!, 'int32')]
}

/** Numbers from `start` to before `stop`, which count down if `stop` is lower and the step is 1, as in TF.js. */
function rangeOf(start: number, stop: number, given: number): readonly number[] {
  const step = stop < start && given === 1 ? -1 : given
  return Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step)
}

/** Gather and scatter operations, and operations that create constants. */
export const indexing: Lowerings = {
  GatherV2: gather,
  GatherNd: ({ b, in: x }) => {
    const params = x('params')
    const [shape] = gather_util.prepareAndValidate(params as never, x('indices') as never)
    if (sizeOf(shape) === 0) return empty(b, params, shape)
    const at = pointsWithin(b, cast(b, x('indices'), 'int32'), params.shape)
    return b.node('GatherND', [params, cast(b, at, 'int64')], { dtype: params.dtype, shape })
  },
  ScatterNd: ({ b, in: x, attr }) => {
    const { at, updates } = rowsOf(b, x('indices'), x('updates'), attr('shape'))
    return scatter(b, at, updates, attr('shape'))
  },
  TensorScatterUpdate: ({ b, in: x }) => {
    const held = x('tensor')
    const { at, updates } = rowsOf(b, x('indices'), x('updates'), held.shape)
    if (sizeOf(updates.shape) === 0 || sizeOf(held.shape) === 0) return held
    return b.node('ScatterND', [held, cast(b, at, 'int64'), updates], held)
  },
  UnsortedSegmentSum: segmentSum,
  OneHot: oneHot,
  TopK: topK,
  Range: ({ b, attr }) => {
    const [start, stop, step] = [attr<number>('start'), attr<number>('stop'), attr<number | undefined>('step') ?? 1]
    return b.constant(attr<'int32' | undefined>('dtype') ?? 'float32', rangeOf(start, stop, step))
  },
  LinSpace: ({ b, attr }) => {
    const [start, stop, num] = [attr<number>('start'), attr<number>('stop'), attr<number>('num')]
    return b.constant(
      'float32',
      Array.from({ length: num }, (_, i) => start + (i * (stop - start)) / Math.max(1, num - 1)),
    )
  },
  Fill: ({ b, attr }) =>
    full(b, elementType(attr<DataType | undefined>('dtype') ?? 'float32'), attr('shape'), attr('value')),
}
