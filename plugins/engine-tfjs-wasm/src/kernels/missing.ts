import {
  type KernelConfig,
  type KernelFunc,
  getKernel,
  getKernelsForBackend,
  registerKernel,
} from '@tensorflow/tfjs-core'
import { borrowed } from './borrowed.js'

/** Kernels whose data are not plain numbers and cannot be copied that way. */
const NOT_NUMBERS = /Complex|FFT|Imag|Real|Ragged|String|Draw/

/** Registers for the WebAssembly backend every numeric kernel that it lacks and the JavaScript backend has. */
export function supplyMissing(): void {
  for (const { kernelName, kernelFunc } of getKernelsForBackend('cpu')) {
    if (getKernel(kernelName, 'wasm') != null || NOT_NUMBERS.test(kernelName)) continue
    registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: borrowed(kernelFunc) as unknown as KernelFunc,
    } satisfies KernelConfig)
  }
}
