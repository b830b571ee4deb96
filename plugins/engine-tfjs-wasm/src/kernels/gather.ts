import { replaceKernel, runBorrowed } from '@attune/nn'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, offsetOf, sizeOf } from '../wasm-backend.js'
import type { Kernel } from './kernel.js'

/**
 * Gathers rows of a float32 table by copying them on the heap, as an embedding does. Other gathers are left to the backend, except
 * batched ones: the backend would read beyond the end of the tensor.
 */
export function replaceGather(): void {
  replaceKernel<Kernel>('wasm', 'GatherV2', (original) => (call) => {
    const { backend, attrs = {} } = call
    if (attrs['batchDims']) return runBorrowed('GatherV2', call)
    const [x, indices] = [call.inputs['x'] as TensorInfo, call.inputs['indices'] as TensorInfo]
    const plain = x.dtype === 'float32' && indices.dtype === 'int32' && !attrs['axis']
    const [entries, width] = [x.shape[0] ?? 0, sizeOf(x.shape.slice(1))]
    const count = sizeOf(indices.shape)
    if (!plain || count * width === 0) return original(call)
    const out = backend.makeOutput([...indices.shape, ...x.shape.slice(1)], 'float32')
    const ids = new Int32Array(backend.wasm.HEAPU8.buffer, offsetOf(backend, indices), count)
    if (ids.some((id) => id < 0 || id >= entries)) return original(call) // reports the error
    const [from, to] = [floats(backend, x), floats(backend, out)]
    for (let row = 0; row < count; row++) {
      const at = ids[row]! * width
      to.set(from.subarray(at, at + width), row * width)
    }
    return out
  })
}
