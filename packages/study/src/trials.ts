import type { Goal, RunEvent, Trial } from '@attune/core'

type Score = Trial['scores'][number]

/** The scores of a trial with one more evaluation; what stands at its step or after it belongs to an earlier attempt. */
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

/** The trials of a study after one more event of its log. */
export function withEvent(trials: readonly Trial[], event: RunEvent): readonly Trial[] {
  if (event.type === 'trial.started') {
    const { trial: id, choice, budget, from } = event
    const optional = { ...(budget === undefined ? {} : { budget }), ...(from === undefined ? {} : { from }) }
    return [...trials, { id, choice, ...optional, scores: [], seconds: 0, state: 'running' }]
  }
  if (!('trial' in event)) return trials
  return trials.map((trial) => (trial.id === event.trial ? changed(trial, event) : trial))
}

/** The value of a trial's goal: that of its last evaluation; undefined if it has none. */
export const valueOf = ({ scores }: Pick<Trial, 'scores'>, { score }: Goal): number | undefined =>
  scores.at(-1)?.values[score]

/** The goals of a trial such that larger is better; undefined if one is missing or is not finite. */
function ranks(trial: Trial, goals: readonly Goal[]): readonly number[] | undefined {
  const values = goals.map((goal) => (goal.direction === 'maximize' ? 1 : -1) * (valueOf(trial, goal) ?? NaN))
  return values.every(Number.isFinite) ? values : undefined
}

const dominates = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => value >= b[i]!) && a.some((value, i) => value > b[i]!)

/**
 * The ids of the best completed trials: of one goal the first that has the best value, of several goals those that no other trial
 * dominates (the Pareto front).
 */
export function bestTrials(trials: readonly Trial[], goals: readonly Goal[]): readonly number[] {
  const ranked = trials.flatMap((trial) => {
    const rank = trial.state === 'completed' ? ranks(trial, goals) : undefined
    return rank === undefined ? [] : [{ id: trial.id, rank }]
  })
  const front = ranked.filter(({ rank }) => !ranked.some((other) => dominates(other.rank, rank))).map(({ id }) => id)
  return goals.length === 1 ? front.slice(0, 1) : front
}
