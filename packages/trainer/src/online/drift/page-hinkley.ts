import type { DriftDetector } from './drift-detector.js'

/** Options of {@link pageHinkley}. */
export interface PageHinkleyOptions {
  /** Number of values before the first signal. Default: 30. */
  readonly warmUp?: number
  /** Change of the mean that is tolerated, δ ≥ 0. Default: 0.005. */
  readonly tolerance?: number
  /** Detection threshold λ > 0. Default: 50; lower values detect earlier and more often without cause. */
  readonly threshold?: number
  /** Factor of the cumulative sum at each value, in (0, 1]. Default: 0.9999. */
  readonly forgetting?: number
  /** Direction of the change: `up` for rising errors. Default: `both`. */
  readonly direction?: 'up' | 'down' | 'both'
}

/** Number of values, their mean, the cumulative deviations upwards and downwards, and their extremes. */
interface State {
  readonly count: number
  readonly mean: number
  readonly up: number
  readonly down: number
  /** Minimum of `up`; absent before the first value. */
  readonly lowest?: number
  readonly highest: number
}

/**
 * Page–Hinkley test: cumulative deviations of the values from their mean; a change of the mean is detected if they depart by more than
 * the threshold from their extreme. For values of any range, such as losses.
 *
 *     m ← mean of the values,  u ← α · u + (x − m − δ),  d ← α · d + (x − m + δ)
 *     drift: u − min u > λ  (up)  or  max d − d > λ  (down)
 *
 * As river's `PageHinkley`, whose maximum of d starts at −1.
 * Source: Page, Continuous Inspection Schemes, 1954; Gama et al., A Survey on Concept Drift Adaptation, 2014.
 */
export function pageHinkley(options: PageHinkleyOptions = {}): DriftDetector<State> {
  const { warmUp = 30, tolerance = 0.005, threshold = 50, forgetting = 0.9999, direction = 'both' } = options
  const init = (): State => ({ count: 0, mean: 0, up: 0, down: 0, highest: -1 })
  return {
    name: 'page-hinkley',
    init,
    add(before, value) {
      const count = before.count + 1
      const mean = before.mean + (value - before.mean) / count
      const up = forgetting * before.up + value - mean - tolerance
      const down = forgetting * before.down + value - mean + tolerance
      const state = {
        count,
        mean,
        up,
        down,
        lowest: Math.min(before.lowest ?? Infinity, up),
        highest: Math.max(before.highest, down),
      }
      const hasRisen = direction !== 'down' && up - state.lowest > threshold
      const hasFallen = direction !== 'up' && state.highest - down > threshold
      return count >= warmUp && (hasRisen || hasFallen)
        ? { state: init(), signal: 'drift' }
        : { state, signal: 'stable' }
    },
  }
}
