import {
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
  getKernel,
  registerKernel,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import type { WasmBackend } from '../wasm-backend.js'

/** What a kernel is called with. */
export interface Call {
  readonly inputs: NamedTensorInfoMap
  readonly attrs?: NamedAttrMap
  readonly backend: WasmBackend
}

/** A kernel of one output. */
export type Kernel = (call: Call) => TensorInfo

/** Marks kernels that were replaced already, so that a second start of the engine does not wrap them twice. */
const REPLACED = Symbol.for('attune/replaced-kernel')

/** The kernel that the backend has under a name. */
export const kernelOf = (name: string): Kernel => getKernel(name, 'wasm').kernelFunc as unknown as Kernel

/** Puts a kernel in the place of the backend's own, which it is given to fall back on; once. */
export function replaceKernel(kernelName: string, make: (original: Kernel) => Kernel): void {
  const config = getKernel(kernelName, 'wasm') as KernelConfig & { [REPLACED]?: true }
  if (config[REPLACED]) return
  const kernelFunc = make(config.kernelFunc as unknown as Kernel) as unknown as KernelFunc
  unregisterKernel(kernelName, 'wasm')
  registerKernel({ ...config, kernelFunc, [REPLACED]: true } as KernelConfig)
}
