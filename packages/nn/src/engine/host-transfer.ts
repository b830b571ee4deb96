import {
  AttuneError,
  type HostArray,
  type HostTree,
  type OnDevice,
  type OnHost,
  type Tree,
  excerpt,
  isHostArray,
  isRecord,
  isTensor,
  leaves,
  mapTree,
} from '@attune/core'
import { type DataType, type Tensor, tensor } from '@tensorflow/tfjs-core'
import { readStored } from './lazy-tensors.js'

/** Frees the tensors of a tree. */
export const release = (tree: Tree): void => {
  for (const [, leaf] of leaves(tree, isTensor)) leaf.dispose()
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const

/** Fault of a leaf of a tree of host arrays, if it has one. */
function faultOf(leaf: unknown): string | undefined {
  if (!isHostArray(leaf)) return `expected a host array { shape, dtype, values }, got ${excerpt(leaf, 120)}`
  const { shape, dtype, values } = leaf
  if (!Array.isArray(shape) || !shape.every((length) => Number.isInteger(length) && length >= 0))
    return `expected a list of lengths as shape, got ${excerpt(shape, 40)}`
  if (!Object.hasOwn(ARRAYS, dtype)) return `expected the type float32, int32 or bool, got ${excerpt(dtype, 40)}`
  const size = shape.reduce((product, length) => product * length, 1)
  return size === values.length
    ? undefined
    : `expected ${size} values for shape [${shape.join(', ')}], got ${values.length}`
}

/** @throws AttuneError `BAD_ARGUMENT` if a leaf is not a host array, with its path in the tree */
function requireHostArrays(tree: unknown, path = ''): void {
  if (isRecord(tree) && !isHostArray(tree)) {
    for (const [name, node] of Object.entries(tree)) requireHostArrays(node, path === '' ? name : `${path}.${name}`)
    return
  }
  const fault = faultOf(tree)
  if (fault === undefined) return
  const where = path === '' ? '' : `"${path}": `
  throw new AttuneError(
    'BAD_ARGUMENT',
    `${where}${fault}`,
    'Pass a tree whose leaves are arrays with their shape and type.',
  )
}

/**
 * Copies host arrays into tensors on TF.js' current backend. Values are copied here and in {@link toHost} because
 * backends compute in place on the arrays that they receive.
 * @throws AttuneError `BAD_ARGUMENT` if a leaf is not a host array, or has not as many values as its shape
 */
export function toDevice<H extends HostTree>(tree: H): OnDevice<H> {
  requireHostArrays(tree)
  return mapTree(tree, isHostArray, ({ values, shape, dtype }: HostArray) =>
    tensor(values.slice(), [...shape], dtype),
  ) as OnDevice<H>
}

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
    const dtype = leaf.dtype as HostArray['dtype']
    const values =
      readStored(leaf) ?? copyOf(held(leaf) ?? ((await leaf.data<DataType>()) as HostArray['values']), dtype)
    arrays.set(leaf, { shape: leaf.shape, dtype, values })
  }
  return mapTree(tree, isTensor, (leaf) => arrays.get(leaf)) as OnHost<T>
}
