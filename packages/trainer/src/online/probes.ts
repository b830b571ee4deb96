import type { Example, Metric } from '@attune/core'
import type { Learner } from './learner.js'

/** Scores on rows that are never trained on, and how much of the best earlier score was lost. */
export interface ProbeScores {
  readonly scores: Readonly<Record<string, number>>
  /** Best earlier score minus the present one, for a score that is minimized the reverse; negative if it has improved. */
  readonly forgetting: Readonly<Record<string, number>>
}

/**
 * Measures forgetting: scores a learner on fixed rows of earlier concepts, by name.
 *
 *     forgetting = max_{earlier} score − score
 *
 * Source: Chaudhry et al., Riemannian Walk for Incremental Learning, 2018, section 3.1.
 */
export function forgettingProbes(probes: Readonly<Record<string, readonly Example[]>>, metrics: readonly Metric[]) {
  const best = new Map<string, number>()
  const sign = ({ direction }: Metric): number => (direction === 'maximize' ? 1 : -1)
  const probe = async (learner: Learner, name: string, rows: readonly Example[]): Promise<ProbeScores> => {
    const { scores } = await learner.score(rows)
    const values: Record<string, number> = {}
    const forgetting: Record<string, number> = {}
    for (const metric of metrics) {
      const [key, value] = [`${name}\0${metric.name}`, scores[metric.name]!.value]
      const earlier = best.get(key)
      values[metric.name] = value
      forgetting[metric.name] = earlier === undefined ? 0 : sign(metric) * (earlier - value)
      if (earlier === undefined || sign(metric) * (value - earlier) > 0) best.set(key, value)
    }
    return { scores: values, forgetting }
  }
  return async (learner: Learner): Promise<Readonly<Record<string, ProbeScores>>> => {
    const found: Record<string, ProbeScores> = {}
    for (const [name, rows] of Object.entries(probes)) found[name] = await probe(learner, name, rows)
    return found
  }
}
