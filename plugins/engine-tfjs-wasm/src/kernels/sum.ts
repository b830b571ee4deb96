import { replaceKernel } from '@attune/nn'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, sizeOf } from '../wasm-backend.js'
import type { Kernel } from './kernel.js'

/** The number of leading axes that are summed, or undefined if other axes are. */
function leading(axis: number | readonly number[] | null | undefined, rank: number): number | undefined {
  const axes = (axis == null ? [] : typeof axis === 'number' ? [axis] : [...axis])
    .map((at) => (at < 0 ? at + rank : at))
    .sort((a, b) => a - b)
  return axes.length > 0 && axes.length < rank && axes.every((at, i) => at === i) ? axes.length : undefined
}

/**
 * Sums over leading axes, as in the gradient of every bias, row by row on the heap: the backend would transpose the whole tensor
 * first. Accumulates in double precision.
 */
export function replaceSum(): void {
  replaceKernel<Kernel>('wasm', 'Sum', (original) => (call) => {
    const { backend, attrs = {} } = call
    const x = call.inputs['x'] as TensorInfo
    const count = leading(attrs['axis'] as number | number[] | null | undefined, x.shape.length)
    if (count === undefined || x.dtype !== 'float32' || sizeOf(x.shape) === 0) return original(call)
    const [summed, kept] = [x.shape.slice(0, count), x.shape.slice(count)]
    const out = backend.makeOutput(attrs['keepDims'] ? [...summed.map(() => 1), ...kept] : kept, 'float32')
    const values = floats(backend, x)
    const width = sizeOf(kept)
    const totals = new Float64Array(width)
    for (let row = 0; row < values.length; row += width) for (let i = 0; i < width; i++) totals[i]! += values[row + i]!
    floats(backend, out).set(totals)
    return out
  })
}
