import { type TensorInfo, slice_util } from '@tensorflow/tfjs-core'
import { type KernelCall, runBorrowed } from './borrow-kernel.js'
import { replaceKernel } from './replace-kernel.js'

type Kernel = (call: KernelCall) => TensorInfo

/** Multi-indices of a kernel, and the shape into which they point. */
type Pointers = (call: KernelCall) => readonly [indices: TensorInfo, shape: readonly number[]]

const input = ({ inputs }: KernelCall, name: string): TensorInfo => inputs[name] as TensorInfo

/** Kernels that read or write memory at indices without a check of their range. */
const POINTING: Readonly<Record<string, Pointers>> = {
  GatherNd: (call) => [input(call, 'indices'), input(call, 'params').shape],
  ScatterNd: (call) => [input(call, 'indices'), call.attrs!['shape'] as number[]],
  TensorScatterUpdate: (call) => [input(call, 'indices'), input(call, 'tensor').shape],
  SparseToDense: (call) => [input(call, 'sparseIndices'), call.attrs!['outputShape'] as number[]],
}

/** True if each index, of `depth` in turn, is within its dimension. */
function areWithin({ backend }: KernelCall, indices: TensorInfo, shape: readonly number[], depth: number): boolean {
  const values = (backend as { readSync(id: object): Int32Array }).readSync(indices.dataId)
  return values.every((index, i) => index >= 0 && index < shape[i % depth]!)
}

/**
 * Calls the kernels of a TF.js backend that trust their indices only with those that are in range; the JavaScript
 * kernels report others.
 */
export function checkIndices(backendName: string): void {
  for (const [name, pointersOf] of Object.entries(POINTING))
    replaceKernel<Kernel>(backendName, name, (original) => (call) => {
      const [indices, shape] = pointersOf(call)
      // A list of indices is one multi-index in a gather, and one index for each update otherwise.
      const depth = indices.shape.length > 1 || name === 'GatherNd' ? (indices.shape.at(-1) ?? 1) : 1
      const known = indices.dtype === 'int32' && depth > 0 && depth <= shape.length
      return known && areWithin(call, indices, shape, depth) ? original(call) : runBorrowed(name, call)
    })
  replaceKernel<Kernel>(backendName, 'Slice', (original) => (call) => {
    const x = input(call, 'x')
    const [begin, size] = slice_util.parseSliceParams(
      { shape: x.shape, rank: x.shape.length } as never,
      call.attrs!['begin'] as number[],
      call.attrs!['size'] as number[],
    ) as [number[], number[]]
    slice_util.assertParamsValid({ shape: x.shape, rank: x.shape.length } as never, begin, size)
    return original(call)
  })
}
