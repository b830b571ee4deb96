import {
  type HostArray,
  type HostTree,
  type OnDevice,
  type OnHost,
  type Tree,
  isHostArray,
  isTensor,
  leaves,
  mapTree,
} from '@attune/core'
import { type DataType, type Tensor, tensor } from '@tensorflow/tfjs-core'

/** Frees the tensors of a tree. */
export const release = (tree: Tree): void => {
  for (const [, leaf] of leaves(tree, isTensor)) leaf.dispose()
}

/**
 * Copies host arrays into tensors on TF.js' current backend. Values are copied here and in {@link toHost} because
 * backends compute in place on the arrays that they receive.
 */
export const toDevice = <H extends HostTree>(tree: H): OnDevice<H> =>
  mapTree(tree, isHostArray, ({ values, shape, dtype }: HostArray) =>
    tensor(values.slice(), [...shape], dtype),
  ) as OnDevice<H>

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** Copies values to an array of a tensor's type. Casts of TF.js share arrays: a float32 tensor may hold an Int32Array. */
const copyOf = (values: ArrayLike<number>, dtype: HostArray['dtype']): HostArray['values'] => new ARRAYS[dtype](values)

/**
 * Copies tensors to host memory.
 * @param held returns the backend's array for a tensor; `data` of some backends would return another copy
 */
export async function toHost<T extends Tree>(
  tree: T,
  held: (tensor: Tensor) => HostArray['values'] | undefined = () => undefined,
): Promise<OnHost<T>> {
  const arrays = new Map<Tensor, HostArray>()
  for (const [, leaf] of leaves(tree, isTensor)) {
    const values = held(leaf) ?? ((await leaf.data<DataType>()) as HostArray['values'])
    const dtype = leaf.dtype as HostArray['dtype']
    arrays.set(leaf, { shape: leaf.shape, dtype, values: copyOf(values, dtype) })
  }
  return mapTree(tree, isTensor, (leaf) => arrays.get(leaf)) as OnHost<T>
}
