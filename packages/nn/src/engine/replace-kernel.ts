import { type KernelConfig, type KernelFunc, getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core'

/** Marks kernels that are already replaced. */
const REPLACED = Symbol.for('attune/replaced-kernel')

/**
 * Replaces a kernel of a TF.js backend. `make` receives the original kernel as a fallback. Idempotent, because an
 * engine may start more than once.
 */
export function replaceKernel<Kernel>(backend: string, name: string, make: (original: Kernel) => Kernel): void {
  const config = getKernel(name, backend) as KernelConfig & { [REPLACED]?: true }
  if (config[REPLACED]) return
  const kernelFunc = make(config.kernelFunc as unknown as Kernel) as unknown as KernelFunc
  unregisterKernel(name, backend)
  registerKernel({ ...config, kernelFunc, [REPLACED]: true } as KernelConfig)
}
