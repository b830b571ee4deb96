import { type NamedAttrMap, type NamedTensorInfoMap, type TensorInfo, getKernel } from '@tensorflow/tfjs-core'
import type { WasmBackend } from '../wasm-backend.js'

/** What a kernel is called with. */
export interface Call {
  readonly inputs: NamedTensorInfoMap
  readonly attrs?: NamedAttrMap
  readonly backend: WasmBackend
}

/** A kernel of one output. */
export type Kernel = (call: Call) => TensorInfo

/** The kernel that the backend has under a name. */
export const kernelOf = (name: string): Kernel => getKernel(name, 'wasm').kernelFunc as unknown as Kernel
