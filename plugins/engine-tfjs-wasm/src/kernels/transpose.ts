import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floats, sizeOf } from '../wasm-backend.js'
import { replaceKernel } from './replace-kernel.js'

/** Rows that are transposed at a time, so that what is written stays in the processor's first cache. */
const ROWS = 64

/** Columns that are read together: one pass over a row of `x` writes to as many rows of `y`. */
const COLUMNS = 4

/** Writes the transpose of the matrix `x [rows, columns]` to `y`. */
export function transposeMatrix(x: Float32Array, y: Float32Array, rows: number, columns: number): void {
  const whole = columns - (columns % COLUMNS)
  for (let top = 0; top < rows; top += ROWS) {
    const bottom = Math.min(top + ROWS, rows)
    for (let column = 0; column < whole; column += COLUMNS) {
      let from = top * columns + column
      let to = column * rows + top
      for (const end = column * rows + bottom; to < end; to++) {
        y[to] = x[from]!
        y[to + rows] = x[from + 1]!
        y[to + 2 * rows] = x[from + 2]!
        y[to + 3 * rows] = x[from + 3]!
        from += columns
      }
    }
    for (let column = whole; column < columns; column++)
      for (let row = top; row < bottom; row++) y[column * rows + row] = x[row * columns + column]!
  }
}

const swapsTheLastTwo = (perm: readonly number[]): boolean =>
  perm.length > 1 && perm.every((from, to) => from === (to < perm.length - 2 ? to : 2 * perm.length - 3 - to))

/**
 * Transposes matrices in blocks that fit the cache; the backend goes through the result column after column, which takes
 * six times as long for [3072, 768]. Transpositions that move other dimensions are left to the backend.
 */
export function replaceTranspose(): void {
  replaceKernel('Transpose', (original) => (call) => {
    const { backend, attrs = {} } = call
    const x = call.inputs['x'] as TensorInfo
    if (x.dtype !== 'float32' || !swapsTheLastTwo(attrs['perm'] as number[])) return original(call)
    const outer = x.shape.slice(0, -2)
    const [rows, columns] = x.shape.slice(-2) as [number, number]
    const out = backend.makeOutput([...outer, columns, rows], 'float32')
    const [from, to] = [floats(backend, x), floats(backend, out)]
    for (let i = 0, size = rows * columns; i < sizeOf(outer); i++)
      transposeMatrix(from.subarray(i * size, (i + 1) * size), to.subarray(i * size, (i + 1) * size), rows, columns)
    return out
  })
}
