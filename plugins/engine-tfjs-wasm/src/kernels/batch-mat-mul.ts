import { replaceKernel, runBorrowed } from '@attune/nn'
import { type TensorInfo, util } from '@tensorflow/tfjs-core'
import { type WasmBackend, type WasmFunction, forget, idOf, offsetOf, sizeOf, view } from '../wasm-backend.js'
import { type Call, type Kernel, kernelOf } from './kernel.js'

const PARAMETERS = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number']
const FLOAT_BYTES = 4

const bytesOf = (shape: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer)

/** A tensor with its last two dimensions exchanged. */
function transposed(backend: WasmBackend, x: TensorInfo): TensorInfo {
  const last = x.shape.length - 1
  const perm = [...x.shape.keys()].map((i) => (i === last ? last - 1 : i === last - 1 ? last : i))
  return kernelOf('Transpose')({ inputs: { x }, backend, attrs: { perm } })
}

/** One matrix product, with operands and result at given offsets in the heap. */
function multiplyAt(
  backend: WasmBackend,
  multiply: WasmFunction,
  offsets: readonly [a: number, b: number, out: number],
  [rows, inner, columns]: readonly [number, number, number],
): void {
  const a = view(backend, [1, rows, inner], offsets[0])
  const b = view(backend, [1, inner, columns], offsets[1])
  const out = view(backend, [1, rows, columns], offsets[2])
  const shape = (tensor: TensorInfo): Uint8Array => bytesOf(tensor.shape)
  multiply(idOf(backend, a), shape(a), 3, idOf(backend, b), shape(b), 3, false, false, idOf(backend, out))
  for (const named of [a, b, out]) forget(backend, named)
}

/** `a [batch…, rows, inner] · b [batch…, inner, columns]`, with equal batches, or one matrix on either side for the whole batch. */
function multiplyAll(backend: WasmBackend, multiply: WasmFunction, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [rows, inner] = a.shape.slice(-2) as [number, number]
  const columns = b.shape.at(-1) as number
  const [batchA, batchB] = [sizeOf(a.shape.slice(0, -2)), sizeOf(b.shape.slice(0, -2))]
  const outer = batchA >= batchB ? a.shape.slice(0, -2) : b.shape.slice(0, -2)
  const out = backend.makeOutput([...outer, rows, columns], 'float32')
  const [fromA, fromB, to] = [a, b, out].map((tensor) => offsetOf(backend, tensor)) as [number, number, number]
  // One matrix on the right: multiply the rows of all matrices on the left in one product.
  if (batchB === 1) {
    multiplyAt(backend, multiply, [fromA, fromB, to], [batchA * rows, inner, columns])
    return out
  }
  for (let i = 0; i < batchB; i++) {
    const offsets = [
      fromA + (batchA === 1 ? 0 : i * rows * inner * FLOAT_BYTES),
      fromB + i * inner * columns * FLOAT_BYTES,
      to + i * rows * columns * FLOAT_BYTES,
    ] as const
    multiplyAt(backend, multiply, offsets, [rows, inner, columns])
  }
  return out
}

/** Throws TF.js' error for operands that do not fit: the C code would read beyond them. */
function requireMatching(a: TensorInfo, b: TensorInfo, attrs: NonNullable<Call['attrs']>): void {
  const [inner, rows] = [a.shape.at(attrs['transposeA'] ? -2 : -1), b.shape.at(attrs['transposeB'] ? -1 : -2)]
  util.assert(
    inner === rows && a.shape.length > 1 && b.shape.length > 1,
    () =>
      `Error in matMul: inner shapes (${inner}) and (${rows}) of Tensors with shapes ${a.shape} and ${b.shape} and ` +
      `transposeA=${attrs['transposeA']} and transposeB=${attrs['transposeB']} must match.`,
  )
}

const sameBatch = (a: TensorInfo, b: TensorInfo): boolean => {
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  return String(outerA) === String(outerB) || sizeOf(outerA) === 1 || sizeOf(outerB) === 1
}

/**
 * Matrix products on the fast path only. The backend's kernel is fast (XNNPACK, SIMD) for one product of plain matrices, and falls
 * back to a loop ten times slower when an operand is transposed or batched. Here operands are transposed first, which is cheap, and
 * a batch is computed in place, matrix by matrix.
 */
export function replaceBatchMatMul(): void {
  replaceKernel<Kernel>('wasm', 'BatchMatMul', (original) => {
    // By module: a reset of TF.js' engine loads another one.
    const functions = new WeakMap<object, WasmFunction>()
    return (call) => {
      const { backend, attrs = {} } = call
      const [a, b] = [call.inputs['a'] as TensorInfo, call.inputs['b'] as TensorInfo]
      requireMatching(a, b, attrs)
      const empty = sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0
      if (a.dtype !== 'float32' || b.dtype !== 'float32') return runBorrowed('BatchMatMul', call)
      if (empty || !sameBatch(a, b)) return original(call)
      const multiply = functions.get(backend.wasm) ?? backend.wasm.cwrap('BatchMatMul', null, PARAMETERS)
      functions.set(backend.wasm, multiply)
      const left = attrs['transposeA'] ? transposed(backend, a) : a
      const right = attrs['transposeB'] ? transposed(backend, b) : b
      const out = multiplyAll(backend, multiply, left, right)
      if (left !== a) backend.disposeData(left.dataId)
      if (right !== b) backend.disposeData(right.dataId)
      return out
    }
  })
}
