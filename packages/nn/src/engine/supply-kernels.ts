import {
  type KernelConfig,
  type KernelFunc,
  getKernel,
  getKernelsForBackend,
  registerKernel,
} from '@tensorflow/tfjs-core'
import { borrowed } from './borrow-kernel.js'

/** Kernels whose data are not plain numbers and cannot be copied that way. */
const NOT_NUMBERS = /Complex|FFT|Imag|Real|Ragged|String|Draw/

/** Registers for a TF.js backend every numeric kernel that it lacks and the JavaScript backend has. */
export function supplyKernels(backendName: string): void {
  for (const { kernelName, kernelFunc } of getKernelsForBackend('cpu')) {
    if (getKernel(kernelName, backendName) != null || NOT_NUMBERS.test(kernelName)) continue
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: borrowed(kernelFunc) as unknown as KernelFunc,
    } satisfies KernelConfig)
  }
}
