import type { DriftDetector } from './drift-detector.js'

/** Options of {@link adwin}. */
export interface AdwinOptions {
  /** Confidence δ in (0, 1): bound on the probability of a false positive at one test. Default: 0.002. */
  readonly delta?: number
  /** Number of values between two tests. Default: 32. */
  readonly clock?: number
  /** Buckets of one size before two are merged. Default: 5; more split the window more finely and take more memory. */
  readonly maximumBuckets?: number
  /** Minimum number of values on either side of a split. Default: 5. */
  readonly minimumLength?: number
  /** Number of values in the window before the first test. Default: 10. */
  readonly warmUp?: number
  /**
   * Direction of the change that is signalled: `up` if the mean of the window has risen, for errors. The window shrinks in either case.
   * Default: `both`.
   */
  readonly direction?: 'up' | 'down' | 'both'
}

/** Sum of the values of a bucket, and the sum of their squared deviations from its mean. */
type Bucket = readonly [total: number, squares: number]

/** `rows[i]` are the buckets of 2^i values, oldest first; the last row has the oldest. */
interface State {
  readonly ticks: number
  readonly width: number
  readonly total: number
  readonly squares: number
  readonly rows: readonly (readonly Bucket[])[]
}

/** A mutable window during one update. */
interface Window {
  width: number
  total: number
  squares: number
  readonly rows: Bucket[][]
}

/** Squared deviations that joining two sets of values adds, by their sizes and totals. */
const between = (n: number, total: number, m: number, other: number): number =>
  (n * m * (total / n - other / m) ** 2) / (n + m)

function insert(window: Window, value: number, maximum: number): void {
  const { width, total, rows } = window
  if (width > 0) window.squares += between(width, total, 1, value)
  window.width++
  window.total += value
  rows[0]!.push([value, 0])
  for (let i = 0; rows[i] !== undefined && rows[i]!.length > maximum; i++) {
    const [[a, s], [b, t]] = rows[i]!.splice(0, 2) as [Bucket, Bucket]
    const next = (rows[i + 1] ??= [])
    next.push([a + b, s + t + between(2 ** i, a, 2 ** i, b)])
  }
}

/** Removes the oldest bucket. */
function removeOldest(window: Window): void {
  const { rows } = window
  const size = 2 ** (rows.length - 1)
  const [total, squares] = rows.at(-1)!.shift()!
  window.width -= size
  window.total -= total
  window.squares -= squares + between(size, total, window.width, window.total)
  while (rows.length > 1 && rows.at(-1)!.length === 0) rows.pop()
}

/** Differences of means above this are significant, for windows of `n` and `m` values. */
function bound({ width, squares }: Window, n: number, m: number, { delta, minimumLength }: Required<AdwinOptions>) {
  const confidence = Math.log((2 * Math.log(width)) / delta)
  const inverse = 1 / (n - minimumLength + 1) + 1 / (m - minimumLength + 1)
  return Math.sqrt(2 * inverse * (squares / width) * confidence) + (2 / 3) * inverse * confidence
}

/** True if the means on both sides of a boundary between buckets differ significantly. */
function hasChanged(window: Window, options: Required<AdwinOptions>): boolean {
  const { rows, width, total } = window
  let [n, sum] = [0, 0]
  for (let i = rows.length - 1; i >= 0; i--)
    for (const [own] of rows[i]!) {
      n += 2 ** i
      sum += own
      const m = width - n
      if (n < options.minimumLength || m < options.minimumLength) continue
      if (Math.abs(sum / n - (total - sum) / m) > bound(window, n, m, options)) return true
    }
  return false
}

/**
 * ADWIN, adaptive windowing: a window of the latest values that shrinks when its older and its newer part have different means. The
 * window is stored as an exponential histogram, O(log n). `drift` is signalled when it shrinks.
 *
 *     |mean(W_0) − mean(W_1)| > √(2/m · σ²_W · ln(2 ln n / δ)) + 2/(3m) · ln(2 ln n / δ),   1/m = 1/n_0 + 1/n_1
 *
 * As in river and MOA, n_0 and n_1 in 1/m are lowered by the minimum length less 1, the means are compared every `clock` values, and the
 * oldest bucket is dropped as long as they differ. For values in a bounded range, such as errors of 0 and 1; a model that improves
 * also changes them, so watch errors with `direction: 'up'`.
 * Source: Bifet and Gavaldà, Learning from Time-Changing Data with Adaptive Windowing, 2007, section 4.
 *
 * @example
 * ```ts
 * import { adwin } from '@attune/trainer'
 * const detector = adwin()
 * let state = detector.init()
 * const drifts: number[] = []
 * for (let i = 0; i < 2000; i++) {
 *   const found = detector.add(state, i < 1000 ? i % 2 : 4 + (i % 4))
 *   state = found.state
 *   if (found.signal === 'drift') drifts.push(i)
 * }
 * console.log(drifts[0]) // 1023
 * ```
 */
export function adwin(options: AdwinOptions = {}): DriftDetector<State> {
  const all = {
    delta: 0.002,
    clock: 32,
    maximumBuckets: 5,
    minimumLength: 5,
    warmUp: 10,
    direction: 'both',
    ...options,
  } as const
  return {
    name: 'adwin',
    init: () => ({ ticks: 0, width: 0, total: 0, squares: 0, rows: [[]] }),
    add(before, value) {
      const window: Window = { ...before, rows: before.rows.map((row) => [...row]) }
      const ticks = before.ticks + 1
      insert(window, value, all.maximumBuckets)
      const mean = window.total / window.width
      let hasShrunk = false
      if (ticks % all.clock === 0 && window.width > all.warmUp)
        while (hasChanged(window, all)) {
          removeOldest(window)
          hasShrunk = true
        }
      const direction = window.total / window.width > mean ? 'up' : 'down'
      const isSignalled = hasShrunk && (all.direction === 'both' || all.direction === direction)
      return { state: { ...window, ticks }, signal: isSignalled ? 'drift' : 'stable' }
    },
  }
}
