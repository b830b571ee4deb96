import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, integers, sizeOf } from '../wasm-backend.js'
import { replaceKernel } from './replace-kernel.js'

/**
 * Adds each row of a float32 tensor to the row of the result that its segment names, in one pass; a row whose segment
 * does not exist is left out. The gradient of `tf.gather` is made of it. The JavaScript backend, whose kernel stands in
 * for the one that this backend lacks, goes through the whole tensor once for every segment.
 */
export function replaceUnsortedSegmentSum(): void {
  replaceKernel('UnsortedSegmentSum', (original) => (call) => {
    const { backend, attrs = {} } = call
    const [x, segmentIds] = [call.inputs['x'] as TensorInfo, call.inputs['segmentIds'] as TensorInfo]
    if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32' || segmentIds.shape.length !== 1) return original(call)
    const segments = attrs['numSegments'] as number
    const out = backend.makeOutput([segments, ...x.shape.slice(1)], 'float32')
    const width = sizeOf(x.shape.slice(1))
    const [from, to] = [floats(backend, x), floats(backend, out).fill(0)]
    integers(backend, segmentIds).forEach((segment, row) => {
      if (segment < 0 || segment >= segments) return
      for (let i = 0; i < width; i++) to[segment * width + i]! += from[row * width + i]!
    })
    return out
  })
}
