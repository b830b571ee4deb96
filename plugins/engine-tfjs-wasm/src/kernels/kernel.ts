import { type NamedAttrMap, type NamedTensorInfoMap, type TensorInfo, getKernel } from '@tensorflow/tfjs-core'
import type { WasmBackend } from '../wasm-backend.js'

/** Arguments of a kernel. */
export interface Call {
  readonly inputs: NamedTensorInfoMap
  readonly attrs?: NamedAttrMap
  readonly backend: WasmBackend
}

/** A kernel with one output. */
export type Kernel = (call: Call) => TensorInfo

/** The kernel that the backend has registered under a name. */
export const kernelOf = (name: string): Kernel => getKernel(name, 'wasm').kernelFunc as unknown as Kernel
