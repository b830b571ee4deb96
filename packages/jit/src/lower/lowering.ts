import { backend_util } from '@tensorflow/tfjs-core'
import { type Builder, type NodeOptions, SMALL, emptyValues } from '../builder.js'
import { type ElementType, type Value, sameShape, sizeOf } from '../graph.js'

/** Call of a TF.js kernel, with inputs as values of the graph. */
export interface Call {
  readonly b: Builder
  /** A named input. */
  in(name: string): Value
  /** An optional named input. */
  maybe(name: string): Value | undefined
  /** All inputs of a variadic kernel. */
  readonly all: readonly Value[]
  /** An attribute of the TF.js kernel. */
  attr<T>(name: string): T
}

/** Lowers a call of a TF.js kernel to values of the graph, one per output. */
export type Lowering = (call: Call) => Value | readonly Value[]

export type Lowerings = Readonly<Record<string, Lowering>>

/** Broadcast shape of two shapes. @throws Error if they differ in sizes other than 1 */
export const broadcast = (a: readonly number[], b: readonly number[]): number[] =>
  backend_util.assertAndGetBroadcastShape([...a], [...b])

/** Constant of a value that is known to be the same everywhere, otherwise undefined. */
export function splat({ constant, node }: Value): number | undefined {
  if (constant !== undefined && constant.length > 0) {
    const first = Number(constant[0])
    return constant.length === 1 || (constant as Float32Array).every((n) => Number(n) === first) ? first : undefined
  }
  return node?.op === 'Expand' ? splat(node.inputs[0]!) : undefined
}

export const scalar = (b: Builder, dtype: ElementType, n: number): Value => b.constant(dtype, [n], [])

const indices = (b: Builder, numbers: readonly number[]): Value => b.constant('int64', numbers)

/** Reshapes a value. Reshapes of reshapes are merged, and constants are reshaped directly. */
export function reshape(b: Builder, x: Value, shape: readonly number[]): Value {
  const source = x.node?.op === 'Reshape' ? x.node.inputs[0]! : x
  if (sameShape(source.shape, shape)) return source
  if (source.constant !== undefined && source.constant.length <= SMALL)
    return b.constant(source.dtype, Array.from(source.constant as Float32Array, Number), shape)
  const number = source.node?.op === 'Expand' ? splat(source) : undefined
  if (number !== undefined) return full(b, source.dtype, shape, number)
  return b.node(
    'Reshape',
    [source, indices(b, shape)],
    { dtype: x.dtype, shape },
    { attributes: { allowzero: { int: 1 } } },
  )
}

/** Value filled with one number. */
export function full(b: Builder, dtype: ElementType, shape: readonly number[], n: number): Value {
  const one = scalar(b, dtype, n)
  if (shape.length === 0) return one
  if (sizeOf(shape) === 0) return b.array(dtype, emptyValues(dtype, 0), shape)
  return b.node('Expand', [one, indices(b, shape)], { dtype, shape })
}

/** Transposes a value. Transposes of transposes are merged; if only dimensions of size 1 move, it is a reshape. */
export function transpose(b: Builder, x: Value, perm: readonly number[]): Value {
  if (x.node?.op === 'Transpose') {
    const { ints: inner } = x.node.attributes['perm'] as { ints: readonly number[] }
    return transpose(
      b,
      x.node.inputs[0]!,
      perm.map((axis) => inner[axis]!),
    )
  }
  const shape = perm.map((axis) => x.shape[axis]!)
  const moved = perm.filter((axis) => x.shape[axis] !== 1)
  if (moved.every((axis, i) => i === 0 || axis > moved[i - 1]!)) return reshape(b, x, shape)
  return b.node('Transpose', [x], { dtype: x.dtype, shape }, { attributes: { perm: { ints: perm } } })
}

const TO: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  uint32: 12,
}

export function cast(b: Builder, x: Value, dtype: ElementType): Value {
  if (x.dtype === dtype) return x
  if (x.constant !== undefined && x.constant.length <= SMALL && dtype !== 'uint32') {
    const number = (n: number): number => (dtype === 'bool' ? Number(n !== 0) : dtype === 'float32' ? n : Math.trunc(n))
    return b.constant(
      dtype,
      Array.from(x.constant as Float32Array, (n) => number(Number(n))),
      x.shape,
    )
  }
  const given = x.dtype === 'float32' && dtype === 'int32' ? finiteOrZero(b, x) : x
  return b.node('Cast', [given], { dtype, shape: x.shape }, { attributes: { to: { int: TO[dtype] } } })
}

/** Replaces NaN and infinities by 0, to which JavaScript converts them; ONNX Runtime returns the int32 minimum. */
function finiteOrZero(b: Builder, x: Value): Value {
  const finite = compare(b, 'Less', unary(b, 'Abs', x), scalar(b, 'float32', Infinity))
  return where(b, finite, x, scalar(b, 'float32', 0))
}

/** Unary operation that keeps type and shape. */
export const unary = (b: Builder, op: string, x: Value, options?: NodeOptions): Value =>
  b.node(op, [x], { dtype: x.dtype, shape: x.shape }, options)

/** Binary operation with broadcasting; an identity operation returns the other operand. */
export function binary(b: Builder, op: string, x: Value, y: Value, dtype = x.dtype): Value {
  const shape = broadcast(x.shape, y.shape)
  const [left, right] = [splat(x), splat(y)]
  const keeps = (value: Value): boolean => sameShape(value.shape, shape) && value.dtype === dtype
  if (right === 1 && (op === 'Mul' || op === 'Div') && keeps(x)) return x
  if (left === 1 && op === 'Mul' && keeps(y)) return y
  if (right === 0 && (op === 'Add' || op === 'Sub') && keeps(x)) return x
  if (left === 0 && op === 'Add' && keeps(y)) return y
  // A constant operand remains a scalar if the other operand has the shape of the result.
  if (right !== undefined && sameShape(x.shape, shape))
    return b.node(op, [x, scalar(b, y.dtype, right)], { dtype, shape })
  if (left !== undefined && sameShape(y.shape, shape))
    return b.node(op, [scalar(b, x.dtype, left), y], { dtype, shape })
  return b.node(op, [x, y], { dtype, shape })
}

export const add = (b: Builder, x: Value, y: Value): Value => binary(b, 'Add', x, y)
export const sub = (b: Builder, x: Value, y: Value): Value => binary(b, 'Sub', x, y)
export const mul = (b: Builder, x: Value, y: Value): Value => binary(b, 'Mul', x, y)
export const div = (b: Builder, x: Value, y: Value): Value => binary(b, 'Div', x, y)

/** Elementwise selection by a condition. ONNX Runtime does not support booleans as values. */
export function where(b: Builder, condition: Value, yes: Value, no: Value): Value {
  const shape = broadcast(broadcast(condition.shape, yes.shape), no.shape)
  return b.node('Where', [condition, yes, no], { dtype: yes.dtype, shape })
}

/** Comparison, by its ONNX name. */
export function compare(b: Builder, op: string, x: Value, y: Value): Value {
  // ONNX Runtime has no order of booleans.
  const [left, right] = x.dtype === 'bool' && op !== 'Equal' ? [cast(b, x, 'int32'), cast(b, y, 'int32')] : [x, y]
  return binary(b, op, left, right, 'bool')
}

/** Clamps values to a range. */
export const clip = (b: Builder, x: Value, low: number, high: number): Value =>
  b.node('Clip', [x, scalar(b, x.dtype, low), scalar(b, x.dtype, high)], x)

/** Slice of a value: `sizes` entries from `starts` with stride `steps`, for every dimension. */
export function slice(
  b: Builder,
  x: Value,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): Value {
  if (sameShape(sizes, x.shape) && steps.every((n) => n === 1)) return x
  const ends = starts.map((start, i) => {
    const end = start + sizes[i]! * steps[i]!
    return steps[i]! < 0 && end < 0 ? -(2 ** 31) : end
  })
  if (sizes.includes(0)) return b.array(x.dtype, emptyValues(x.dtype, 0), sizes)
  const inputs = [
    x,
    indices(b, starts),
    indices(b, ends),
    indices(
      b,
      starts.map((_, i) => i),
    ),
    indices(b, steps),
  ]
  return b.node('Slice', inputs, { dtype: x.dtype, shape: sizes })
}

export function concat(b: Builder, values: readonly Value[], axis: number): Value {
  const full = values.filter((value) => sizeOf(value.shape) > 0)
  const first = values[0]!
  const shape = first.shape.map((n, i) => (i === axis ? values.reduce((sum, v) => sum + v.shape[axis]!, 0) : n))
  if (full.length === 0) return b.array(first.dtype, emptyValues(first.dtype, 0), shape)
  if (full.length === 1) return reshape(b, full[0]!, shape)
  return b.node('Concat', full, { dtype: first.dtype, shape }, { attributes: { axis: { int: axis } } })
}

/** Splits a value into slices of the given sizes. */
export function splitSizes(b: Builder, x: Value, sizes: readonly number[], axis: number): readonly Value[] {
  let at = 0
  return sizes.map((size) => {
    const starts = x.shape.map((_, i) => (i === axis ? at : 0))
    at += size
    return slice(
      b,
      x,
      starts,
      x.shape.map((n, i) => (i === axis ? size : n)),
    )
  })
}

/** Gathers slices at known indices along an axis. */
export function gatherConstant(b: Builder, x: Value, indicesAlong: readonly number[], axis: number): Value {
  const shape = x.shape.map((n, i) => (i === axis ? indicesAlong.length : n))
  return b.node(
    'Gather',
    [x, indices(b, indicesAlong)],
    { dtype: x.dtype, shape },
    { attributes: { axis: { int: axis } } },
  )
}

/** Padding before and after each dimension. */
export type Paddings = readonly (readonly [before: number, after: number])[]

/** Pads a value with a number. */
export function pad(b: Builder, x: Value, paddings: Paddings, number: number): Value {
  const shape = x.shape.map((n, i) => n + paddings[i]![0] + paddings[i]![1])
  if (sameShape(shape, x.shape)) return x
  if (sizeOf(x.shape) === 0) return full(b, x.dtype, shape, number)
  const amounts = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]
  const inputs = [x, indices(b, amounts), scalar(b, x.dtype, number)]
  return b.node('Pad', inputs, { dtype: x.dtype, shape }, { attributes: { mode: { text: 'constant' } } })
}
