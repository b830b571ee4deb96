import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type WasmBackend, type WasmFunction, floats, offsetOf, sizeOf } from '../wasm-backend.js'
import { transposeMatrix } from './transpose.js'

const PARAMETERS = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number']
const FLOAT_BYTES = 4

/** A stretch of the heap that is to be read as matrices, and how many bytes on the next one begins. */
interface Place {
  readonly offset: number
  readonly stride: number
}

type Multiply = (
  places: readonly [a: Place, b: Place, out: Place],
  count: number,
  shape: readonly [rows: number, inner: number, columns: number],
) => void

const wrapped = new WeakMap<object, WasmFunction>()

const bytesOf = (shape: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer)

/**
 * What makes `count` products `a [rows, inner] · b [inner, columns]` of matrices that lie on the heap. C knows tensors by
 * numbers, so each matrix gets one while its product is made; with it goes what XNNPACK keeps of the right matrix.
 */
function multiplyOn(backend: WasmBackend): Multiply {
  const multiply = wrapped.get(backend) ?? backend.wasm.cwrap('BatchMatMul', null, PARAMETERS)
  wrapped.set(backend, multiply)
  const { registerTensor, disposeData } = backend.wasm.tfjs
  return (places, count, [rows, inner, columns]) => {
    const ids = places.map(() => backend.dataIdNextNumber++) as [number, number, number]
    const [shapeA, shapeB] = [bytesOf([1, rows, inner]), bytesOf([1, inner, columns])]
    const sizes = [rows * inner, inner * columns, rows * columns]
    for (let i = 0; i < count; i++) {
      ids.forEach((id, at) => registerTensor(id, sizes[at]!, places[at]!.offset + i * places[at]!.stride))
      multiply(ids[0], shapeA, 3, ids[1], shapeB, 3, false, false, ids[2])
      ids.forEach((id) => disposeData(id))
    }
  }
}

/** `a [batch…, rows, inner] · b [batch…, inner, columns]`, with equal batches, or one matrix on either side for all. */
export function multiply(backend: WasmBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [rows, inner] = a.shape.slice(-2) as [number, number]
  const columns = b.shape.at(-1) as number
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const [countA, countB] = [sizeOf(outerA), sizeOf(outerB)]
  const longer = outerA.length === outerB.length ? countA >= countB : outerA.length > outerB.length
  const out = backend.makeOutput([...(longer ? outerA : outerB), rows, columns], 'float32')
  const place = (tensor: TensorInfo, size: number, many: number): Place => ({
    offset: offsetOf(backend, tensor),
    stride: many === 1 ? 0 : size * FLOAT_BYTES,
  })
  // One matrix on the right serves all rows of all matrices on the left at once.
  const [height, count] = countB === 1 ? [countA * rows, 1] : [rows, countB]
  const places = [
    place(a, height * inner, countB === 1 ? 1 : countA),
    place(b, inner * columns, countB),
    place(out, height * columns, count),
  ] as const
  multiplyOn(backend)(places, count, [height, inner, columns])
  return out
}

/** Rows of the operands of {@link multiplyTransposed} that are taken at a time. */
const BLOCK = 512

/**
 * `aᵀ·b` of `a [rows, height]` and `b [rows, width]`, as the gradient of a weight is, with as many rows as a batch has
 * tokens: block by block, so that the transposed block and what XNNPACK makes of the right one stay in the cache.
 */
export function multiplyTransposed(backend: WasmBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [rows, height] = a.shape.slice(-2) as [number, number]
  const width = b.shape.at(-1) as number
  const out = backend.makeOutput([...a.shape.slice(0, -2), height, width], 'float32')
  const turned = backend.makeOutput([height, Math.min(BLOCK, rows)], 'float32')
  const part = backend.makeOutput([height, width], 'float32')
  const at = (tensor: TensorInfo, floatsIn = 0): Place => ({
    offset: offsetOf(backend, tensor) + floatsIn * FLOAT_BYTES,
    stride: 0,
  })
  for (let first = 0; first < rows; first += BLOCK) {
    const count = Math.min(BLOCK, rows - first)
    const block = floats(backend, a).subarray(first * height, (first + count) * height)
    transposeMatrix(block, floats(backend, turned), count, height)
    multiplyOn(backend)([at(turned), at(b, first * width), at(first === 0 ? out : part)], 1, [height, count, width])
    if (first === 0) continue
    const [sum, next] = [floats(backend, out), floats(backend, part)]
    for (let i = 0; i < sum.length; i++) sum[i]! += next[i]!
  }
  for (const { dataId } of [turned, part]) backend.disposeData(dataId)
  return out
}
