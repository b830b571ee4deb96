import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, offsetOf, sizeOf } from '../wasm-backend.js'
import { replaceKernel } from './replace-kernel.js'

/** Compares float32 numbers with one number, as dropout does; the backend takes twice as long. */
export function replaceGreaterEqual(): void {
  replaceKernel('GreaterEqual', (original) => (call) => {
    const { backend } = call
    const [a, b] = [call.inputs['a'] as TensorInfo, call.inputs['b'] as TensorInfo]
    if (a.dtype !== 'float32' || b.dtype !== 'float32' || b.shape.length > 0) return original(call)
    const out = backend.makeOutput(a.shape, 'bool')
    const truths = new Uint8Array(backend.wasm.HEAPU8.buffer, offsetOf(backend, out), sizeOf(a.shape))
    const [numbers, least] = [floats(backend, a), floats(backend, b)[0]!]
    for (let i = 0; i < numbers.length; i++) truths[i] = Number(numbers[i]! >= least)
    return out
  })
}
