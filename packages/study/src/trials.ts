import type { Goal, RunEvent, Trial } from '@attune/core'

type Score = Trial['scores'][number]

/** Adds an evaluation to a trial's scores and drops scores at or after its step, which belong to an earlier attempt. */
export const withScore = (scores: readonly Score[], next: Score): readonly Score[] => [
  ...scores.filter(({ step }) => step < next.step),
  next,
]

function changed(trial: Trial, event: RunEvent): Trial {
  switch (event.type) {
    case 'trial.resumed': {
      const { budget = trial.budget, step } = event
      const scores = step === 0 ? [] : trial.scores
      return { ...trial, scores, state: 'running', ...(budget === undefined ? {} : { budget }) }
    }
    case 'trial.scored': {
      const { step, values, seconds } = event
      return { ...trial, scores: withScore(trial.scores, { step, values }), seconds }
    }
    case 'trial.completed': {
      const { state, scores, seconds } = event
      return { ...trial, state, scores, seconds }
    }
    default:
      return trial
  }
}

/** Applies an event of the log to the trials of a study. */
export function withEvent(trials: readonly Trial[], event: RunEvent): readonly Trial[] {
  if (event.type === 'trial.started') {
    const { trial: id, choice, budget, from } = event
    const optional = { ...(budget === undefined ? {} : { budget }), ...(from === undefined ? {} : { from }) }
    return [...trials, { id, choice, ...optional, scores: [], seconds: 0, state: 'running' }]
  }
  if (!('trial' in event)) return trials
  return trials.map((trial) => (trial.id === event.trial ? changed(trial, event) : trial))
}

/** A trial's value of a goal at its last evaluation; undefined if there is none. */
export const valueOf = ({ scores }: Pick<Trial, 'scores'>, { score }: Goal): number | undefined =>
  scores.at(-1)?.values[score]

/** A trial's goal values with signs such that larger is better; undefined if one is missing or not finite. */
function goalValues(trial: Trial, goals: readonly Goal[]): readonly number[] | undefined {
  const values = goals.map((goal) => (goal.direction === 'maximize' ? 1 : -1) * (valueOf(trial, goal) ?? NaN))
  return values.every(Number.isFinite) ? values : undefined
}

const dominates = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => value >= b[i]!) && a.some((value, i) => value > b[i]!)

/**
 * Ids of the best completed trials: for one goal, the first trial with the best value; for several goals, the trials that no other
 * trial dominates (the Pareto front).
 *
 * @example
 * ```ts
 * import { bestTrials } from '@attune/study'
 * const trial = (id: number, accuracy: number) =>
 *   ({ id, choice: {}, state: 'completed', scores: [{ step: 1, values: { accuracy } }], seconds: 1 }) as const
 * console.log(bestTrials([trial(0, 0.7), trial(1, 0.9)], [{ score: 'accuracy', direction: 'maximize' }])) // [ 1 ]
 * ```
 */
export function bestTrials(trials: readonly Trial[], goals: readonly Goal[]): readonly number[] {
  const ranked = trials.flatMap((trial) => {
    const rank = trial.state === 'completed' ? goalValues(trial, goals) : undefined
    return rank === undefined ? [] : [{ id: trial.id, rank }]
  })
  const front = ranked.filter(({ rank }) => !ranked.some((other) => dominates(other.rank, rank))).map(({ id }) => id)
  return goals.length === 1 ? front.slice(0, 1) : front
}
