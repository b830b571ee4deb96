import type { Tensor } from '@tensorflow/tfjs-core'

/** Model parameters by name, as in the Hugging Face checkpoint. */
export type Params = Readonly<Record<string, Tensor>>

/** Nested records with tensors at the leaves (a pytree): everything that is trained, saved, donated or counted. */
export type Tree = Tensor | { readonly [key: string]: Tree }

/** The array types that are transferred between host and device. */
export type HostValues = Float32Array | Int32Array | Uint8Array

/** A dense row-major array in host memory. */
export interface HostArray {
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly values: HostValues
}

/** Nested records with host arrays at the leaves: batches before the transfer to the device, results after it. */
export type HostTree = HostArray | { readonly [key: string]: HostTree }

/** The device counterpart of a tree of host arrays: the same keys, tensors at the leaves. */
export type OnDevice<H> = H extends HostArray ? Tensor : { readonly [K in keyof H]: OnDevice<H[K]> }

/** The host counterpart of a tree of tensors: the same keys, host arrays at the leaves. */
export type OnHost<T> = T extends Tensor ? HostArray : { readonly [K in keyof T]: OnHost<T[K]> }

/** True for a leaf of a {@link Tree}: an object with the `dataId` of a TF.js tensor. */
export const isTensor = (node: unknown): node is Tensor => typeof node === 'object' && node !== null && 'dataId' in node

/** True for a leaf of a {@link HostTree}. */
export const isHostArray = (node: unknown): node is HostArray =>
  typeof node === 'object' && node !== null && 'values' in node && 'dtype' in node && ArrayBuffer.isView(node.values)

/**
 * Applies `f` to the values of each name in all records. The result has the names of the first record; a value that another
 * record lacks is passed as `undefined`.
 */
export function mapParams<T, R>(
  f: (...values: T[]) => R,
  first: Readonly<Record<string, T>>,
  ...rest: readonly Readonly<Record<string, T>>[]
): Record<string, R> {
  return Object.fromEntries(
    Object.entries(first).map(([name, value]) => [name, f(value, ...rest.map((record) => record[name] as T))]),
  )
}

/** Lists the leaves of a tree with their paths, keys joined by `/`, sorted by key at every level. */
export function leaves<L>(
  tree: unknown,
  isLeaf: (node: unknown) => node is L,
  path = '',
): readonly (readonly [string, L])[] {
  if (isLeaf(tree)) return [[path, tree]]
  return Object.entries(tree as Record<string, unknown>)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, node]) => leaves(node, isLeaf, path === '' ? key : `${path}/${key}`))
}

/**
 * Rebuilds the tree from the entries of {@link leaves}. A single leaf with path `''` is returned itself. The records have no
 * prototype, so a path from a file cannot reach one.
 */
export function treeOf<L>(entries: Iterable<readonly [string, L]>): unknown {
  const root = Object.create(null) as Record<string, unknown>
  for (const [path, leaf] of entries) {
    if (path === '') return leaf
    const keys = path.split('/')
    const last = keys.pop() as string
    let node = root
    for (const key of keys) node = (node[key] ??= Object.create(null)) as Record<string, unknown>
    node[last] = leaf
  }
  return root
}

/**
 * Applies `f` to each leaf and keeps the structure of the tree.
 *
 * @example
 * ```ts
 * import { isHostArray, mapTree } from '@attune/core'
 * const ids = { shape: [2], dtype: 'int32', values: Int32Array.of(5, 6) }
 * console.log(mapTree({ inputs: { ids } }, isHostArray, ({ shape }) => shape)) // { inputs: { ids: [ 2 ] } }
 * ```
 */
export function mapTree<L, R>(tree: unknown, isLeaf: (node: unknown) => node is L, f: (leaf: L) => R): unknown {
  if (isLeaf(tree)) return f(tree)
  return Object.fromEntries(
    Object.entries(tree as Record<string, unknown>).map(([key, node]) => [key, mapTree(node, isLeaf, f)]),
  )
}
