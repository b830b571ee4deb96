import { type Goal, PRUNER, type Pruner, type Trial, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Values of a goal up to a step, negated if smaller is better, without NaN. */
const valuesUpTo = ({ scores }: Trial, { score, direction }: Goal, step: number): readonly number[] =>
  scores
    .filter((each) => each.step <= step)
    .map(({ values }) => (values[score] ?? NaN) * (direction === 'maximize' ? 1 : -1))
    .filter((value) => !Number.isNaN(value))

/** Value of a goal at a step itself, as a list that is empty if there is none. */
const valueAt = (trial: Trial, goal: Goal, step: number): readonly number[] =>
  valuesUpTo({ ...trial, scores: trial.scores.filter((each) => each.step === step) }, goal, step)

const meanOf = (values: readonly number[]): readonly number[] =>
  values.length === 0 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length]

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
}

/**
 * Median stopping rule of Vizier: a trial is stopped at a step if its best value up to the step is worse than the median of the running
 * averages of the completed trials at that step.
 *
 *     max(values of the trial up to step) < median over completed trials of mean(their values up to step)
 *
 * Optuna's `MedianPruner` compares with the completed trials' values at the step itself, as `against: value` does, and stops a trial whose
 * values so far are all NaN, which continues here. With several goals, a trial is stopped if the rule holds for each.
 */
export const median = definePlugin({
  kind: PRUNER,
  name: 'median',
  summary: 'Median stopping rule: stops a trial whose best score is worse than the median of the completed trials',
  source: 'Golovin et al., Google Vizier: A Service for Black-Box Optimization, KDD 2017, section 3.2.1',
  options: z.strictObject({
    startupTrials: z.int().min(1).max(10_000).default(5).describe('Number of completed trials before any is stopped'),
    warmupSteps: z.int().min(0).default(0).describe('First step at which a trial may be stopped'),
    against: z
      .enum(['average', 'value'])
      .default('average')
      .describe(
        'Compare with running averages of the completed trials up to the step, or with their values at the step as in Optuna',
      ),
  }),
  create:
    ({ startupTrials, warmupSteps, against }): Pruner =>
    (trial, others, goals) => {
      const step = trial.scores.at(-1)?.step
      const completed = others.filter(({ state }) => state === 'completed')
      if (step === undefined || step < warmupSteps || completed.length < startupTrials) return undefined
      const reasons = goals.map((goal) => {
        const own = valuesUpTo(trial, goal, step)
        const theirs = completed.flatMap((other) =>
          against === 'value' ? valueAt(other, goal, step) : meanOf(valuesUpTo(other, goal, step)),
        )
        const [best, middle] = [Math.max(...own), medianOf(theirs)]
        if (own.length === 0 || theirs.length === 0 || best >= middle) return undefined
        const sign = goal.direction === 'maximize' ? 1 : -1
        return `${goal.score} ${sign * best} at step ${step} is worse than the median ${sign * middle} of ${theirs.length} trials`
      })
      return reasons.includes(undefined) ? undefined : reasons.join('; ')
    },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'pruner median': typeof median
  }
}

export default median
