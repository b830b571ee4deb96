import type { TensorInfo } from '@tensorflow/tfjs-core'
import { type WasmBackend, sizeOf } from '../wasm-backend.js'
import { multiply, multiplyTransposed } from './multiply.js'
import { kernelOf, replaceKernel } from './replace-kernel.js'

/** A tensor with its last two dimensions exchanged. */
function transposed(backend: WasmBackend, x: TensorInfo): TensorInfo {
  const last = x.shape.length - 1
  const perm = [...x.shape.keys()].map((i) => (i === last ? last - 1 : i === last - 1 ? last : i))
  return kernelOf('Transpose')({ inputs: { x }, backend, attrs: { perm } })
}

/** Passes on the transpose of a tensor, and frees it after. */
function throughTransposed(backend: WasmBackend, x: TensorInfo, use: (x: TensorInfo) => TensorInfo): TensorInfo {
  const turned = transposed(backend, x)
  try {
    return use(turned)
  } finally {
    backend.disposeData(turned.dataId)
  }
}

const sameBatch = (a: TensorInfo, b: TensorInfo): boolean => {
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  return String(outerA) === String(outerB) || sizeOf(outerA) === 1 || sizeOf(outerB) === 1
}

/** `aᵀ·b` of two matrices. The narrower is better on the right: it is what XNNPACK first puts in another order. */
function weightGradient(backend: WasmBackend, a: TensorInfo, b: TensorInfo): TensorInfo {
  if ((a.shape.at(-1) as number) >= (b.shape.at(-1) as number)) return multiplyTransposed(backend, a, b)
  const turned = multiplyTransposed(backend, b, a)
  try {
    return transposed(backend, turned)
  } finally {
    backend.disposeData(turned.dataId)
  }
}

/**
 * Matrix products that always take the fast way. The backend's own is fast (XNNPACK, vectorised) for one product of plain
 * matrices only, and falls back to a loop ten times slower when an operand is transposed or there is a batch. Here
 * transposes are made first, which costs little, and a batch is gone through in place, matrix by matrix.
 */
export function replaceBatchMatMul(): void {
  replaceKernel('BatchMatMul', (original) => (call) => {
    const { backend, attrs = {} } = call
    const [a, b] = [call.inputs['a'] as TensorInfo, call.inputs['b'] as TensorInfo]
    const [transposeA, transposeB] = [Boolean(attrs['transposeA']), Boolean(attrs['transposeB'])]
    const empty = sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0
    if (a.dtype !== 'float32' || b.dtype !== 'float32' || empty || !sameBatch(a, b)) return original(call)
    const plain = sizeOf(a.shape.slice(0, -2)) === 1 && String(a.shape.slice(0, -2)) === String(b.shape.slice(0, -2))
    if (transposeA && !transposeB && plain) return weightGradient(backend, a, b)
    const timesRight = (left: TensorInfo): TensorInfo =>
      transposeB ? throughTransposed(backend, b, (right) => multiply(backend, left, right)) : multiply(backend, left, b)
    return transposeA ? throughTransposed(backend, a, timesRight) : timesRight(a)
  })
}
