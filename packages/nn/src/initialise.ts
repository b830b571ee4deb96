import { type Key, normals, stream } from '@attune/core'
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
