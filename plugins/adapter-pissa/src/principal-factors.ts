import type { HostArray } from '@attune/core'
import { truncatedSvd } from '@attune/nn'

/** A weight on the host, and its layout. */
export interface HostWeight {
  readonly weight: HostArray
  /** True if the weight is `[in, out]` instead of `[out, in]`. */
  readonly inputFirst: boolean
}

/** Factors `A` `[rank, in]` and `B` `[out, rank]` of a layer on the host, float32. */
export interface HostFactors {
  readonly down: HostArray
  readonly up: HostArray
}

const array = (shape: readonly number[], at: (row: number, column: number) => number): HostArray => {
  const [rows, columns] = shape as readonly [number, number]
  const values = new Float32Array(rows * columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[i * columns + j] = at(i, j)
  return { shape, dtype: 'float32', values }
}

/**
 * The principal components of a weight, as factors: `scale · B·A` is its best approximation of that rank.
 *
 *     W ≈ U·S·Vᵀ,   A = √(S / scale)·Vᵀ,   B = U·√(S / scale)
 */
export function principalFactors({ weight, inputFirst }: HostWeight, rank: number, scale: number): HostFactors {
  const [rows, columns] = weight.shape as readonly [number, number]
  const { values, left, right } = truncatedSvd({ rows, columns, values: weight.values }, rank)
  const [outputs, inputs] = inputFirst ? [right, left] : [left, right]
  const roots = values.map((value) => Math.sqrt(value / scale))
  return {
    down: array([rank, inputs[0]!.length], (k, i) => roots[k]! * inputs[k]![i]!),
    up: array([outputs[0]!.length, rank], (o, k) => roots[k]! * outputs[k]![o]!),
  }
}

/** The residual of a weight: `W − scale · B·A`, in its layout. */
export function residualOf({ weight, inputFirst }: HostWeight, { down, up }: HostFactors, scale: number): HostArray {
  const [rank, inputs] = down.shape as readonly [number, number]
  const entry = (o: number, i: number): number => {
    let sum = 0
    for (let k = 0; k < rank; k++) sum += up.values[o * rank + k]! * down.values[k * inputs + i]!
    return scale * sum
  }
  const columns = weight.shape[1]!
  return array(weight.shape, (i, j) => weight.values[i * columns + j]! - (inputFirst ? entry(j, i) : entry(i, j)))
}

/** The trained factors and the initial ones, of which `[A; A₀]` and `[B, −B₀]` are made. */
export function halvesOf({ down, up }: HostFactors): readonly [trained: HostFactors, initial: HostFactors] {
  const [both, inputs] = down.shape as readonly [number, number]
  const rank = both / 2
  const half = (start: number, sign: number): HostFactors => ({
    down: array([rank, inputs], (k, i) => down.values[(start + k) * inputs + i]!),
    up: array([up.shape[0]!, rank], (o, k) => sign * up.values[o * both + start + k]!),
  })
  return [half(0, 1), half(rank, -1)]
}

/** Tolerance of {@link isPrincipal}, also for factors in float16. */
const TOLERANCE = 1e-2

/** True if the factors are made of principal components: `A·Aᵀ` and `Bᵀ·B` are the same diagonal matrix. */
export function isPrincipal({ down, up }: HostFactors): boolean {
  const [rank, inputs] = down.shape as readonly [number, number]
  const gram = (length: number, at: (k: number, i: number) => number): number[] =>
    Array.from({ length: rank * rank }, (_, kl) => {
      let sum = 0
      for (let i = 0; i < length; i++) sum += at(Math.floor(kl / rank), i) * at(kl % rank, i)
      return sum
    })
  const ofDown = gram(inputs, (k, i) => down.values[k * inputs + i]!)
  const ofUp = gram(up.shape[0]!, (k, o) => up.values[o * rank + k]!)
  const most = TOLERANCE * Math.max(...ofDown.map(Math.abs))
  return ofDown.every((x, kl) => {
    const isDiagonal = Math.floor(kl / rank) === kl % rank
    return Math.abs(x - ofUp[kl]!) <= most && (isDiagonal || Math.abs(x) <= most)
  })
}
