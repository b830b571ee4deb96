import type { HostArray } from '@attune/core'

/** A mask that is 1 for the chosen indices of an axis: rows or columns of a matrix, elements of a bias. */
export function maskAlong(shape: readonly number[], axis: number, isChosen: (index: number) => boolean): HostArray {
  const size = shape.reduce((product, n) => product * n, 1)
  const inner = shape.slice(axis + 1).reduce((product, n) => product * n, 1)
  const marks = Uint8Array.from({ length: shape[axis]! }, (_, index) => Number(isChosen(index)))
  const values = Float32Array.from({ length: size }, (_, i) => marks[Math.floor(i / inner) % marks.length]!)
  return { shape: [...shape], dtype: 'float32', values }
}
