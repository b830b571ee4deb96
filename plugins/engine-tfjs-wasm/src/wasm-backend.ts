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
    readonly tfjs: { disposeData(id: number): void }
  }
  readonly dataIdMap: {
    get(dataId: DataId): { readonly id: number; readonly memoryOffset: number; readonly dtype: string }
    delete(dataId: DataId): boolean
  }
  makeOutput(shape: readonly number[], dtype: TensorInfo['dtype'], memoryOffset?: number): TensorInfo
}

/** The number by which C knows a tensor. */
export const idOf = (backend: WasmBackend, { dataId }: TensorInfo): number => backend.dataIdMap.get(dataId).id

/** Where a tensor's bytes begin on the heap. */
export const offsetOf = (backend: WasmBackend, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset

/** A float32 tensor's numbers, on the heap itself. The view dies with the next allocation, which may move the heap. */
export const floats = (backend: WasmBackend, tensor: TensorInfo): Float32Array =>
  new Float32Array(backend.wasm.HEAPU8.buffer, offsetOf(backend, tensor), sizeOf(tensor.shape))

/** The product of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/** Names a stretch of another tensor's memory as a tensor; {@link forget} must follow. */
export const view = (backend: WasmBackend, shape: readonly number[], memoryOffset: number): TensorInfo =>
  backend.makeOutput(shape, 'float32', memoryOffset)

/** Takes the name of a {@link view} back; the memory stays with its owner. */
export function forget(backend: WasmBackend, { dataId }: TensorInfo): void {
  const { id } = backend.dataIdMap.get(dataId)
  backend.wasm.tfjs.disposeData(id)
  backend.dataIdMap.delete(dataId)
}
