import { type Tensor, add, concat, customGrad, slice } from '@tensorflow/tfjs-core'

/** Maximum number of values of a table that are dequantized at one time: 4 MB. */
const MAX_VALUES = 1 << 20

/** Consecutive rows of a table. */
export interface TablePart {
  readonly first: number
  readonly rows: number
}

function partsOf([entries, width]: readonly number[], most: number): readonly TablePart[] {
  const rows = Math.max(1, Math.floor(most / width!))
  return Array.from({ length: Math.ceil(entries! / rows) }, (_, i) => ({
    first: i * rows,
    rows: Math.min(rows, entries! - i * rows),
  }))
}

/** A frozen table of which parts are dequantized when they are multiplied. */
export interface PackedTable {
  /** `[entries, width]`. */
  readonly shape: readonly number[]
  /**
   * `x·Wᵀ` with the rows of a part, `[n, width]` → `[n, rows]`, or `x·W`, its gradient, `[n, rows]` → `[n, width]`.
   * @param after a tensor that must be computed before the part is dequantized
   */
  times(x: Tensor, part: TablePart, isGradient: boolean, after: Tensor): Tensor
  /** Maximum number of values of a part. Default: 4 MB. */
  readonly most?: number | undefined
}

/** Product with a frozen table, `x·Wᵀ`, `[n, width]` → `[n, entries]`, part by part. The gradient passes to `x` only. */
export const productInParts = (x: Tensor, { shape, times, most = MAX_VALUES }: PackedTable): Tensor =>
  customGrad((input) => {
    const parts = partsOf(shape, most)
    const products: Tensor[] = []
    for (const part of parts) products.push(times(input as Tensor, part, false, products.at(-1) ?? (input as Tensor)))
    const gradientOf = (dy: Tensor, part: TablePart, sum: Tensor | undefined): Tensor => {
      const own = slice(dy, [0, part.first], [-1, part.rows])
      const product = times(own, part, true, sum ?? own)
      return sum === undefined ? product : add(sum, product)
    }
    return {
      value: products.length === 1 ? products[0]! : concat(products, 1),
      gradFunc: (dy: Tensor) =>
        parts.reduce<Tensor | undefined>((sum, part) => gradientOf(dy, part, sum), undefined) as Tensor,
    }
  })(x)
