import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, integers, sizeOf } from '../wasm-backend.js'
import { replaceKernel } from './replace-kernel.js'

/** Rows of a float32 table, copied on the heap: what an embedding does. Other gathers are left to the backend. */
export function replaceGather(): void {
  replaceKernel('GatherV2', (original) => (call) => {
    const { backend, attrs = {} } = call
    const [x, indices] = [call.inputs['x'] as TensorInfo, call.inputs['indices'] as TensorInfo]
    const plain = x.dtype === 'float32' && indices.dtype === 'int32' && !attrs['axis'] && !attrs['batchDims']
    const [entries, width] = [x.shape[0] ?? 0, sizeOf(x.shape.slice(1))]
    const sound = (id: number): boolean => id >= 0 && id < entries
    if (!plain || sizeOf(indices.shape) * width === 0 || !integers(backend, indices).every(sound)) return original(call)
    const out = backend.makeOutput([...indices.shape, ...x.shape.slice(1)], 'float32')
    const [from, to] = [floats(backend, x), floats(backend, out)]
    integers(backend, indices).forEach((id, row) => to.set(from.subarray(id * width, (id + 1) * width), row * width))
    return out
  })
}
