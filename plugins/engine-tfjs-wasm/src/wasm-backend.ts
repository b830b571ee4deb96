import type { DataId, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** A kernel's C function as Emscripten wraps it: tensors by their numbers, shapes as bytes. */
export type WasmFunction = (...values: readonly (number | boolean | Uint8Array)[]) => void

/** The parts of TF.js' WebAssembly backend that the kernels here work with, beside what every backend has. */
export interface WasmBackend extends KernelBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array
    _malloc(bytes: number): number
    _free(offset: number): void
    cwrap(name: string, result: null, parameters: readonly string[]): WasmFunction
    readonly tfjs: {
      registerTensor(id: number, size: number, offset: number): void
      disposeData(id: number): void
    }
  }
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } }
  dataIdNextNumber: number
  makeOutput(shape: readonly number[], dtype: TensorInfo['dtype']): TensorInfo
}

/** Where a tensor's bytes begin on the heap. */
export const offsetOf = (backend: WasmBackend, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset

/** The product of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/** A float32 tensor's numbers, on the heap itself. The view dies with the next allocation, which may move the heap. */
export const floats = (backend: WasmBackend, tensor: TensorInfo): Float32Array =>
  new Float32Array(backend.wasm.HEAPU8.buffer, offsetOf(backend, tensor), sizeOf(tensor.shape))

/** An int32 tensor's numbers, in the same way as {@link floats}. */
export const integers = (backend: WasmBackend, tensor: TensorInfo): Int32Array =>
  new Int32Array(backend.wasm.HEAPU8.buffer, offsetOf(backend, tensor), sizeOf(tensor.shape))
