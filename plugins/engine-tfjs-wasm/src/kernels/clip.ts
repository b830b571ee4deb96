import { replaceKernel } from '@attune/nn'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats } from '../wasm-backend.js'
import type { Kernel } from './kernel.js'

/** Clamps float32 values to a range; NaN remains NaN, which the backend would replace by the lower end. */
export function replaceClip(): void {
  replaceKernel<Kernel>('wasm', 'ClipByValue', (original) => (call) => {
    const { backend, attrs = {} } = call
    const x = call.inputs['x'] as TensorInfo
    if (x.dtype !== 'float32') return original(call)
    const [low, high] = [attrs['clipValueMin'] as number, attrs['clipValueMax'] as number]
    const out = backend.makeOutput(x.shape, 'float32')
    const [from, to] = [floats(backend, x), floats(backend, out)]
    for (let i = 0; i < from.length; i++) {
      const value = from[i]!
      to[i] = value > high ? high : value < low ? low : value
    }
    return out
  })
}
