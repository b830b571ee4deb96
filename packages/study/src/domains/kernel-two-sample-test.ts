import { AttuneError, shuffled } from '@attune/core'

/** Result of {@link kernelTwoSampleTest}. */
export interface KernelTwoSampleTest {
  /** Unbiased estimate of MMD²; about 0, also below, for equal distributions. */
  readonly mmdSquared: number
  /** Bandwidth σ of the kernel: the median distance of two rows. */
  readonly bandwidth: number
  /** Fraction of the permutations, the given one included, whose MMD² is at least as large, in (0, 1]. */
  readonly pValue: number
}

/** Squared distances of all pairs of rows, row by row. */
function squaredDistances(rows: readonly ArrayLike<number>[]): Float64Array {
  const count = rows.length
  const squares = new Float64Array(count * count)
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [rows[i]!, rows[j]!]
      let sum = 0
      for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2
      squares[i * count + j] = sum
      squares[j * count + i] = sum
    }
  return squares
}

/** Median distance of two different rows; 1 if it is 0. */
function medianDistance(squares: Float64Array, count: number): number {
  const pairs = new Float64Array((count * (count - 1)) / 2)
  for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < i; j++) pairs[at++] = squares[i * count + j]!
  pairs.sort()
  const [lower, upper] = [pairs[(pairs.length - 1) >> 1]!, pairs[pairs.length >> 1]!]
  return (Math.sqrt(lower) + Math.sqrt(upper)) / 2 || 1
}

/** MMD² as a function of the rows that are of the source, from the kernel matrix without its diagonal. */
function statisticOf(kernel: Float64Array, count: number): (source: readonly number[]) => number {
  const sums = Array.from({ length: count }, (_, i) => kernel.subarray(i * count, (i + 1) * count).reduce((a, b) => a + b, 0)) // prettier-ignore
  const total = sums.reduce((a, b) => a + b, 0)
  return (source) => {
    let [within, all] = [0, 0]
    for (const i of source) {
      all += sums[i]!
      const row = i * count
      for (const j of source) within += kernel[row + j]!
    }
    const [m, n] = [source.length, count - source.length]
    const cross = all - within
    return within / (m * (m - 1)) + (total - within - 2 * cross) / (n * (n - 1)) - (2 * cross) / (m * n)
  }
}

/**
 * Kernel two-sample test: the squared maximum mean discrepancy (MMD) of two samples, and the p-value of the hypothesis that both are from
 * one distribution, by permutation.
 *
 *     MMD² = mean_{i≠j} k(s_i, s_j) + mean_{i≠j} k(t_i, t_j) − 2 · mean k(s_i, t_j),  k(x, y) = exp(−‖x − y‖² / (2σ²))
 *
 * It is the unbiased estimate, with a Gaussian kernel whose bandwidth σ is the median distance of all rows (median heuristic). It takes
 * memory and time of (source rows + target rows)².
 * Source: Gretton et al., A Kernel Two-Sample Test, 2012, equation 3 and section 8; the p-value counts the given assignment, as
 * in Phipson and Smyth, Permutation P-values Should Never Be Zero, 2010.
 * @param random uniform numbers in [0, 1), for the permutations
 * @param permutations number of random assignments to the samples. Default: 499
 * @throws AttuneError `TOO_FEW_EXAMPLES` for fewer than 2 rows of a sample
 *
 * @example
 * ```ts
 * import { key, stream } from '@attune/core'
 * import { kernelTwoSampleTest } from '@attune/study'
 * const rows = (mean: number) => Array.from({ length: 20 }, (_, i) => [mean + i / 20])
 * const { mmdSquared, pValue } = kernelTwoSampleTest(rows(0), rows(2), stream(key(1)))
 * console.log(mmdSquared.toFixed(3), pValue) // 1.318 0.002
 * ```
 */
export function kernelTwoSampleTest(
  source: readonly ArrayLike<number>[],
  target: readonly ArrayLike<number>[],
  random: () => number,
  permutations = 499,
): KernelTwoSampleTest {
  if (Math.min(source.length, target.length) < 2)
    throw new AttuneError(
      'TOO_FEW_EXAMPLES',
      `kernel two-sample test: expected at least 2 rows of each sample, got ${source.length} and ${target.length}`,
      'Pass more rows.',
    )
  const count = source.length + target.length
  const squares = squaredDistances([...source, ...target])
  const bandwidth = medianDistance(squares, count)
  const kernel = squares.map((square) => Math.exp(-square / (2 * bandwidth ** 2)))
  for (let i = 0; i < count; i++) kernel[i * count + i] = 0
  const statistic = statisticOf(kernel, count)
  const positions = Array.from({ length: count }, (_, i) => i)
  const mmdSquared = statistic(positions.slice(0, source.length))
  let extreme = 1
  for (let i = 0; i < permutations; i++)
    extreme += Number(statistic(shuffled(positions, random).slice(0, source.length)) >= mmdSquared)
  return { mmdSquared, bandwidth, pValue: extreme / (permutations + 1) }
}
