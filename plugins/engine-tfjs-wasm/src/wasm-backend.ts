import type { DataId, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** A kernel's C function as wrapped by Emscripten: tensors by their ids, shapes as bytes. */
export type WasmFunction = (...values: readonly (number | boolean | Uint8Array)[]) => void

/** The parts of TF.js' WebAssembly backend that the kernels here use, in addition to those of every backend. */
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

/** The id of a tensor in the C code. */
export const idOf = (backend: WasmBackend, { dataId }: TensorInfo): number => backend.dataIdMap.get(dataId).id

/** Offset of a tensor's first byte on the heap. */
export const offsetOf = (backend: WasmBackend, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset

/** Values of a float32 tensor, on the heap itself. The next allocation may move the heap and so invalidates the view. */
export const floats = (backend: WasmBackend, tensor: TensorInfo): Float32Array =>
  new Float32Array(backend.wasm.HEAPU8.buffer, offsetOf(backend, tensor), sizeOf(tensor.shape))

/** The number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/** Registers a range of another tensor's memory as a tensor; {@link forget} must follow. */
export const view = (backend: WasmBackend, shape: readonly number[], memoryOffset: number): TensorInfo =>
  backend.makeOutput(shape, 'float32', memoryOffset)

/** Unregisters a {@link view}; the memory stays with its owner. */
export function forget(backend: WasmBackend, { dataId }: TensorInfo): void {
  const { id } = backend.dataIdMap.get(dataId)
  backend.wasm.tfjs.disposeData(id)
  backend.dataIdMap.delete(dataId)
}
