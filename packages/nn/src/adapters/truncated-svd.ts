import { key, normals, stream } from '@attune/core'

type Vector = Float64Array

/** A matrix on the host, row by row. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly values: ArrayLike<number>
}

/** The largest singular values of a matrix, in descending order, and their vectors: `M ≈ Σᵢ valuesᵢ · leftᵢ · rightᵢᵀ`. */
export interface TruncatedSvd {
  readonly values: readonly number[]
  /** Unit vectors of length `rows`. */
  readonly left: readonly Vector[]
  /** Unit vectors of length `columns`, whose component of the largest magnitude is positive. */
  readonly right: readonly Vector[]
}

/** Bounds relative to the size of the matrix: of the residual of a triplet, and of a vector that is zero but for rounding. */
const [TOLERANCE, TINY] = [1e-10, 1e-13]
/** Bound of the cosine between two columns that count as orthogonal, and the maximum number of Jacobi sweeps. */
const [ORTHOGONAL, SWEEPS] = [1e-15, 40]

function dot(a: Vector, b: Vector): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

const length = (a: Vector): number => Math.sqrt(dot(a, a))

/** Adds `factor · x` to `y`. */
function addScaled(y: Vector, factor: number, x: Vector): void {
  for (let i = 0; i < y.length; i++) y[i]! += factor * x[i]!
}

/** The sum `Σ factorsᵢ · vectorsᵢ`. */
function combine(vectors: readonly Vector[], factors: ArrayLike<number>): Vector {
  const sum = new Float64Array(vectors[0]!.length)
  for (let i = 0; i < factors.length; i++) addScaled(sum, factors[i]!, vectors[i]!)
  return sum
}

/**
 * Makes `y` a unit vector orthogonal to `basis`, and returns its length before; 0 if only rounding was left of it, which is replaced
 * by a random direction, or by zeros where there is none.
 */
function orthonormalize(y: Vector, basis: readonly Vector[], tiny: number, random: () => number): number {
  // Twice is enough: the second pass removes what rounding left of the projections.
  const project = () => {
    for (let pass = 0; pass < 2; pass++) for (const q of basis) addScaled(y, -dot(q, y), q)
    return length(y)
  }
  const found = project()
  if (found > tiny) return (y.forEach((x, i) => void (y[i] = x / found)), found)
  if (basis.length >= y.length) return (y.fill(0), 0)
  y.forEach((_, i) => void (y[i] = random()))
  const size = project()
  y.forEach((x, i) => void (y[i] = x / size))
  return 0
}

/** Golub–Kahan–Lanczos bidiagonalization `M·V = U·B`: B has `diagonal`, and `above` it on the right. */
interface Bidiagonal {
  readonly left: Vector[]
  readonly right: Vector[]
  readonly diagonal: number[]
  readonly above: number[]
}

/** Extends the bidiagonalization of the matrix of these rows to `steps` columns. */
function extend({ left, right, diagonal, above }: Bidiagonal, rows: readonly Vector[], steps: number, tiny: number) {
  const random = normals(stream(key(left.length + 1)))
  if (right.length === 0) {
    const start = new Float64Array(rows[0]!.length)
    orthonormalize(start, right, tiny, random)
    right.push(start)
  }
  while (left.length < steps) {
    const v = right.at(-1)!
    const u = Float64Array.from(rows, (row) => dot(row, v))
    diagonal.push(orthonormalize(u, left, tiny, random))
    left.push(u)
    const next = combine(rows, u)
    above.push(orthonormalize(next, right, tiny, random))
    right.push(next)
  }
}

/** Rotates two columns, and the vectors that go with them, so that the columns become orthogonal. True if they were not. */
function rotate(columns: readonly Vector[], vectors: readonly Vector[], p: number, q: number): boolean {
  const [a, b] = [columns[p]!, columns[q]!]
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)]
  if (Math.abs(ab) <= ORTHOGONAL * Math.sqrt(aa * bb)) return false
  const zeta = (bb - aa) / (2 * ab)
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta))
  const cosine = 1 / Math.hypot(1, tangent)
  const sine = cosine * tangent
  for (const [x, y] of [
    [a, b],
    [vectors[p]!, vectors[q]!],
  ] as const)
    for (let i = 0; i < x.length; i++) {
      const [s, t] = [x[i]!, y[i]!]
      x[i] = cosine * s - sine * t
      y[i] = sine * s + cosine * t
    }
  return true
}

/** SVD of a bidiagonal matrix by one-sided Jacobi rotations (Hestenes): triplets by descending singular value. */
function bidiagonalSvd({ diagonal, above }: Bidiagonal) {
  const size = diagonal.length
  const unit = (i: number): Vector => new Float64Array(size).fill(1, i, i + 1)
  const right = Array.from({ length: size }, (_, j) => unit(j))
  const columns = right.map((_, j) => {
    const column = new Float64Array(size)
    column[j] = diagonal[j]!
    if (j > 0) column[j - 1] = above[j - 1]!
    return column
  })
  for (let sweep = 0, moved = true; moved && sweep < SWEEPS; sweep++) {
    moved = false
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) moved = rotate(columns, right, p, q) || moved
  }
  return columns
    .map((column, j) => ({ value: length(column), left: column, right: right[j]! }))
    .sort((a, b) => b.value - a.value)
}

/** Rows of the matrix, or of its transpose if it has more columns than rows. */
function tallRows({ rows, columns, values }: Matrix): Vector[] {
  const at = (i: number, j: number): number => (rows < columns ? values[j * columns + i]! : values[i * columns + j]!)
  const width = Math.min(rows, columns)
  return Array.from({ length: Math.max(rows, columns) }, (_, i) =>
    Float64Array.from({ length: width }, (_x, j) => at(i, j)),
  )
}

/**
 * Truncated singular value decomposition: the `rank` largest singular values and their vectors, in float64. The Lanczos
 * bidiagonalization grows until the residual of each triplet is below 1e-10 of the matrix's Frobenius norm, at most to the whole
 * matrix. Deterministic.
 * Source: Golub and Van Loan, Matrix Computations, 4th edition, sections 10.4.4 (Lanczos bidiagonalization) and 8.6.3 (Jacobi).
 * @param rank in [1, min(rows, columns)]
 */
export function truncatedSvd(matrix: Matrix, rank: number): TruncatedSvd {
  const rows = tallRows(matrix)
  const width = rows[0]!.length
  const scale = Math.sqrt(rows.reduce((sum, row) => sum + dot(row, row), 0))
  const basis: Bidiagonal = { left: [], right: [], diagonal: [], above: [] }
  for (let steps = 2 * rank + 32; ; steps *= 2) {
    extend(basis, rows, Math.min(steps, width), TINY * scale)
    const triplets = bidiagonalSvd(basis).slice(0, rank)
    const last = basis.left.length - 1
    // A column of `left` is the left vector times its singular value.
    const residual = (t: (typeof triplets)[number]) => Math.abs((basis.above[last]! * t.left[last]!) / (t.value || 1))
    if (steps < width && triplets.some((t) => residual(t) > TOLERANCE * scale)) continue
    const found = triplets.map(({ value, left, right }) => ({
      value,
      // The vectors of a value 0 are not determined, and not used: zeros.
      tall: combine(
        basis.left,
        left.map((x) => (value > 0 ? x / value : 0)),
      ),
      short: combine(basis.right, right),
    }))
    return signed(found, matrix.rows < matrix.columns)
  }
}

/** Swaps the vectors of a transposed matrix, and chooses the signs. */
function signed(triplets: readonly { value: number; tall: Vector; short: Vector }[], swap: boolean): TruncatedSvd {
  const pairs = triplets.map(({ tall, short }) => {
    const [left, right] = swap ? [short, tall] : [tall, short]
    const largest = right.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0)
    return largest < 0 ? { left: left.map((x) => -x), right: right.map((x) => -x) } : { left, right }
  })
  return {
    values: triplets.map(({ value }) => value),
    left: pairs.map(({ left }) => left),
    right: pairs.map(({ right }) => right),
  }
}
