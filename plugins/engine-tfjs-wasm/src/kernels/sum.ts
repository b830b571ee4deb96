import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, sizeOf } from '../wasm-backend.js'
import { replaceKernel } from './replace-kernel.js'

/** The sum of each column of `x`, rows of `width` one after the other, four rows at a time. */
function sumColumns(x: Float32Array, width: number): Float64Array {
  const totals = new Float64Array(width)
  let row = 0
  for (; row + 4 * width <= x.length; row += 4 * width)
    for (let i = row; i < row + width; i++)
      totals[i - row]! += x[i]! + x[i + width]! + (x[i + 2 * width]! + x[i + 3 * width]!)
  for (; row < x.length; row += width) for (let i = 0; i < width; i++) totals[i]! += x[row + i]!
  return totals
}

/** The sum of each row of `x`, rows of `width` one after the other, in four strands that the processor adds at once. */
function sumRows(x: Float32Array, width: number): Float64Array {
  const totals = new Float64Array(x.length / width)
  for (let row = 0; row < totals.length; row++) {
    const end = (row + 1) * width
    let i = row * width
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (; i + 4 <= end; i += 4) {
      a += x[i]!
      b += x[i + 1]!
      c += x[i + 2]!
      d += x[i + 3]!
    }
    for (; i < end; i++) a += x[i]!
    totals[row] = a + b + (c + d)
  }
  return totals
}

/** The axes that are summed, in order, from 0 up. All, where none are named. */
const axesOf = (axis: number | readonly number[] | null | undefined, rank: number): readonly number[] =>
  (axis == null ? Array.from({ length: rank }, (_, at) => at) : [axis].flat())
    .map((at) => (at < 0 ? at + rank : at))
    .sort((a, b) => a - b)

/**
 * Sums over leading axes, as the gradient of every bias is, and over trailing axes or all, in place on the heap and in
 * double precision. The backend adds in single precision, and for leading axes first transposes the whole tensor.
 */
export function replaceSum(): void {
  replaceKernel('Sum', (original) => (call) => {
    const { backend, attrs = {} } = call
    const x = call.inputs['x'] as TensorInfo
    const rank = x.shape.length
    const axes = axesOf(attrs['axis'] as number | number[] | null | undefined, rank)
    const leading = axes.every((axis, i) => axis === i)
    const trailing = axes.every((axis, i) => axis === rank - axes.length + i)
    if (x.dtype !== 'float32' || sizeOf(x.shape) === 0 || !(leading || trailing)) return original(call)
    const shape = attrs['keepDims']
      ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
      : x.shape.filter((_, axis) => !axes.includes(axis))
    const out = backend.makeOutput(shape, 'float32')
    const width = sizeOf(x.shape) / sizeOf(shape)
    const values = floats(backend, x)
    floats(backend, out).set(trailing ? sumRows(values, width) : sumColumns(values, sizeOf(shape)))
    return out
  })
}
