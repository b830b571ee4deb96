import { backend_util, slice_util, util } from '@tensorflow/tfjs-core'
import { emptyValues } from '../builder.js'
import { type Value, sizeOf } from '../graph.js'
import {
  type Call,
  type Lowerings,
  type Paddings,
  concat,
  gatherConstant,
  pad,
  splitSizes,
  reshape,
  slice,
  transpose,
} from './lowering.js'

/** Mirror padding, as a gather, because ONNX Runtime does not support all types and modes. */
function mirrored({ b, in: input, attr }: Call): Value {
  const edge = attr<string>('mode') === 'reflect' ? 0 : 1
  return attr<Paddings>('paddings').reduce((x, [before, after], axis) => {
    if (before === 0 && after === 0) return x
    const n = x.shape[axis]!
    const indices = Array.from({ length: before + n + after }, (_, i) => {
      const at = i - before
      return at < 0 ? -at - edge : at < n ? at : 2 * (n - 1) - at + edge
    })
    return gatherConstant(b, x, indices, axis)
  }, input('x'))
}

function reversed({ b, in: input, attr }: Call): Value {
  const x = input('x')
  const axes = util.parseAxisParam(attr<number | number[]>('dims'), [...x.shape])
  if (x.shape.length === 0) return x
  const back = (i: number): boolean => axes.includes(i)
  const starts = x.shape.map((n, i) => (back(i) ? n - 1 : 0))
  return slice(
    b,
    x,
    starts,
    x.shape,
    x.shape.map((_, i) => (back(i) ? -1 : 1)),
  )
}

function strided({ b, in: input, attr }: Call): Value {
  const x = input('x')
  const info = slice_util.sliceInfo(
    [...x.shape],
    attr('begin'),
    attr('end'),
    attr('strides'),
    attr('beginMask'),
    attr('endMask'),
    attr('ellipsisMask'),
    attr('newAxisMask'),
    attr('shrinkAxisMask'),
  )
  const { begin, end, strides, finalShape } = info
  const sizes = begin.map((from, i) => Math.max(0, Math.ceil((end[i]! - from) / strides[i]!)))
  return reshape(b, slice(b, x, begin, sizes, strides), finalShape)
}

function tiled({ b, in: input, attr }: Call): Value {
  const x = input('x')
  const reps = attr<number[]>('reps')
  const shape = x.shape.map((n, i) => n * reps[i]!)
  if (reps.every((n) => n === 1)) return x
  if (sizeOf(shape) === 0) return b.array(x.dtype, emptyValues(x.dtype, 0), shape)
  return b.node('Tile', [x, b.constant('int64', reps)], { dtype: x.dtype, shape })
}

const along = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** Operations that only rearrange values. */
export const movements: Lowerings = {
  Transpose: ({ b, in: x, attr }) => transpose(b, x('x'), attr('perm')),
  Slice: ({ b, in: x, attr }) => {
    const of = { shape: [...x('x').shape], rank: x('x').shape.length } as never
    const [begin, size] = slice_util.parseSliceParams(of, attr('begin'), attr('size')) as [number[], number[]]
    slice_util.assertParamsValid(of, begin, size)
    return slice(b, x('x'), begin, size)
  },
  StridedSlice: strided,
  Concat: ({ b, all, attr }) => {
    const [axis] = util.parseAxisParam(attr<number>('axis'), [...all[0]!.shape])
    backend_util.assertParamsConsistent(all.map(({ shape }) => [...shape]), axis!) // prettier-ignore
    return concat(b, all, axis!)
  },
  Pack: ({ b, all, attr }) => {
    const { shape } = all[0]!
    for (const each of all)
      util.assertShapesMatch([...shape], [...each.shape], 'All tensors passed to stack must have matching shapes')
    const axis = along(attr('axis'), shape.length + 1)
    const raised = all.map((x) => reshape(b, x, [...shape.slice(0, axis), 1, ...shape.slice(axis)]))
    return concat(b, raised, axis)
  },
  Unpack: ({ b, in: x, attr }) => {
    const value = x('value')
    const axis = along(attr('axis'), value.shape.length)
    const ones = new Array<number>(value.shape[axis]!).fill(1)
    return splitSizes(b, value, ones, axis).map((part) =>
      reshape(
        b,
        part,
        value.shape.filter((_, i) => i !== axis),
      ),
    )
  },
  SplitV: ({ b, in: x, attr }) => {
    const value = x('x')
    const axis = along(attr('axis'), value.shape.length)
    const given = attr<number | number[]>('numOrSizeSplits')
    // TF.js writes the size that it infers into the given array.
    const own = typeof given === 'number' ? given : [...given]
    return splitSizes(b, value, backend_util.prepareSplitSize(value as never, own, axis), axis)
  },
  Tile: tiled,
  PadV2: ({ b, in: x, attr }) => pad(b, x('x'), attr('paddings'), attr('constantValue')),
  MirrorPad: mirrored,
  Reverse: reversed,
}
