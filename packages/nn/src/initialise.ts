import { type Key, type Params, fold, normals, stream } from '@attune/core'
import { type Tensor, tensor } from '@tensorflow/tfjs-core'

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

/**
 * A tensor of normal numbers with mean 0 and the given standard deviation. `zeroRow` is a row that is zero instead: the
 * embedding of padding.
 */
export function normal(key: Key, shape: readonly number[], deviation: number, zeroRow?: number): Tensor {
  const next = normals(stream(key))
  const values = Float32Array.from({ length: size(shape) }, () => deviation * next())
  const width = size(shape.slice(1))
  if (zeroRow !== undefined) values.fill(0, zeroRow * width, (zeroRow + 1) * width)
  return tensor(values, [...shape], 'float32')
}

/** A tensor filled with one number. */
export const filled = (shape: readonly number[], value: number): Tensor =>
  tensor(new Float32Array(size(shape)).fill(value), [...shape], 'float32')

/**
 * New parameters of a transformer by their shapes: weights normal with the given deviation, each from a key of its own, norms
 * 1 and biases 0. `paddingRows` says which row of a table is zero, by the table's name.
 */
export const freshWeights = (
  shapes: Readonly<Record<string, readonly number[]>>,
  key: Key,
  deviation: number,
  paddingRows: Readonly<Record<string, number | undefined>> = {},
): Params =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]): [string, Tensor] => {
      if (/norm\.weight$/i.test(name)) return [name, filled(shape, 1)]
      if (name.endsWith('.bias')) return [name, filled(shape, 0)]
      return [name, normal(fold(key, name), shape, deviation, paddingRows[name])]
    }),
  )
