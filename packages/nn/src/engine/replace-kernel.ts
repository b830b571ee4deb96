import { type KernelConfig, type KernelFunc, getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'

/** Marks kernels that were replaced already. */
const REPLACED = Symbol.for('attune/replaced-kernel')

/**
 * Puts a kernel in the place of a TF.js backend's own, which it is given to fall back on. A second time changes nothing: an
 * engine may start more than once.
 */
export function replaceKernel<Kernel>(backend: string, name: string, make: (original: Kernel) => Kernel): void {
  const config = getKernel(name, backend) as KernelConfig & { [REPLACED]?: true }
  if (config[REPLACED]) return
  const kernelFunc = make(config.kernelFunc as unknown as Kernel) as unknown as KernelFunc
  unregisterKernel(name, backend)
  registerKernel({ ...config, kernelFunc, [REPLACED]: true } as KernelConfig)
}
