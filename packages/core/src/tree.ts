import type { Tensor } from '@tensorflow/tfjs-core'

/** Parameters of a model: one tensor per name, named as the Hugging Face checkpoint names them. */
export type Params = Readonly<Record<string, Tensor>>

/** Nested records with tensors at the leaves: everything that is trained, saved, donated or counted. */
export type Tree = Tensor | { readonly [key: string]: Tree }

/** The element types that cross between host and device. */
export type HostValues = Float32Array | Int32Array | Uint8Array

/** A dense row-major array in host memory. */
export interface HostArray {
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32' | 'bool'
  readonly values: HostValues
}

/** Nested records with host arrays at the leaves: batches on their way in, results on their way out. */
export type HostTree = HostArray | { readonly [key: string]: HostTree }

/** What a tree of host arrays becomes on a device: the same keys, tensors at the leaves. */
export type OnDevice<H> = H extends HostArray ? Tensor : { readonly [K in keyof H]: OnDevice<H[K]> }

/** What a tree of tensors becomes in host memory: the same keys, host arrays at the leaves. */
export type OnHost<T> = T extends Tensor ? HostArray : { readonly [K in keyof T]: OnHost<T[K]> }

/** A leaf of a {@link Tree}: known by the `dataId` that every TF.js tensor carries. */
export const isTensor = (node: unknown): node is Tensor => typeof node === 'object' && node !== null && 'dataId' in node

/** A leaf of a {@link HostTree}. */
export const isHostArray = (node: unknown): node is HostArray =>
  typeof node === 'object' && node !== null && 'values' in node && 'dtype' in node && ArrayBuffer.isView(node.values)

/**
 * Applies `f` to the tensors that stand under the same name in every record, and keeps the names.
 * The first record decides which names there are; one that another record lacks is passed as `undefined`.
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

/** Lists the leaves of a tree with their paths, the keys joined by `/`, in sorted order of keys at every level. */
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
 * Rebuilds the nested records of which {@link leaves} listed the paths. A single leaf with path `''` is itself.
 * The records have no prototype, so that a path read from a file cannot reach one.
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

/** Applies `f` to each leaf and keeps the shape of the tree. */
export function mapTree<L, R>(tree: unknown, isLeaf: (node: unknown) => node is L, f: (leaf: L) => R): unknown {
  if (isLeaf(tree)) return f(tree)
  return Object.fromEntries(
    Object.entries(tree as Record<string, unknown>).map(([key, node]) => [key, mapTree(node, isLeaf, f)]),
  )
}
