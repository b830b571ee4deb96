import type { DriftDetector } from './drift-detector.js'

/** Options of {@link ddm}. */
export interface DdmOptions {
  /** Number of values before the first signal. Default: 30. */
  readonly warmUp?: number
  /** Standard deviations above the minimum for a warning. Default: 2. */
  readonly warning?: number
  /** Standard deviations above the minimum for drift. Default: 3. */
  readonly drift?: number
}

/** Number of values, number of errors, and the error rate and its standard deviation at the minimum of their sum. */
interface State {
  readonly count: number
  readonly errors: number
  readonly minimum?: { readonly rate: number; readonly deviation: number }
}

/**
 * DDM, the drift detection method, for errors of 0 and 1: a model whose error rate p rises significantly above its minimum has drifted.
 *
 *     s = √(p · (1 − p) / n)
 *     warning: p + s > p_min + 2 · s_min        drift: p + s > p_min + 3 · s_min
 *
 * p_min and s_min are those at the minimum of p + s. For abrupt changes of the error rate; it needs many rows for gradual ones.
 * Without a memory of the time of the warning, unlike the paper; {@link learnOnline} reports warnings.
 * Source: Gama et al., Learning with Drift Detection, 2004, section 3.
 *
 * @example
 * ```ts
 * import { ddm } from '@attune/trainer'
 * const detector = ddm()
 * let state = detector.init()
 * const errors = Array.from({ length: 400 }, (_, i) => Number(i % 10 === 0 || i >= 300))
 * const at = errors.findIndex((error) => {
 *   const found = detector.add(state, error)
 *   state = found.state
 *   return found.signal === 'drift'
 * })
 * console.log(at >= 300 && at < 330) // true
 * ```
 */
export function ddm({ warmUp = 30, warning = 2, drift = 3 }: DdmOptions = {}): DriftDetector<State> {
  const init = (): State => ({ count: 0, errors: 0 })
  return {
    name: 'ddm',
    init,
    add(before, error) {
      const [count, errors] = [before.count + 1, before.errors + error]
      const rate = errors / count
      const deviation = Math.sqrt((rate * (1 - rate)) / count)
      if (count <= warmUp) return { state: { ...before, count, errors }, signal: 'stable' }
      const { minimum: old } = before
      const isMinimum = old === undefined || rate + deviation <= old.rate + old.deviation
      const minimum = isMinimum ? { rate, deviation } : old
      const isAbove = (factor: number): boolean => rate + deviation > minimum.rate + factor * minimum.deviation
      if (isAbove(drift)) return { state: init(), signal: 'drift' }
      return { state: { count, errors, minimum }, signal: isAbove(warning) ? 'warning' : 'stable' }
    },
  }
}
