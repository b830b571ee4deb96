import { type Goal, PRUNER, type Pruner, type Trial, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describePruner } from '../describe-pruner.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Ends a trial that is below the median of the others at the same step. */
const median = definePlugin({
  kind: PRUNER,
  name: 'median',
  summary: 'Ends a trial below the median of the others',
  options: z.strictObject({ patience: z.int().min(0).max(100).default(1).describe('Steps before a trial is ended') }),
  create:
    ({ patience }): Pruner =>
    ({ scores }, others, [{ score, direction }]: readonly [Goal] | readonly Goal[]) => {
      const sign = direction === 'maximize' ? 1 : -1
      const { step, values } = scores.at(-1) ?? { step: 0, values: {} }
      const theirs = others.flatMap((other) =>
        other.scores.filter((each) => each.step === step).map((each) => sign * each.values[score!]!),
      )
      const isBelow = sign * values[score!]! < theirs.sort((a, b) => a - b)[theirs.length >> 1]!
      return step > patience && isBelow ? 'below the median' : undefined
    },
})

const others = [
  [0.1, 0.2],
  [0.3, 0.4],
]
const cases = [
  { name: 'what is worst', scores: [0.9, 0.1], others, pruned: true },
  { name: 'what has just begun', scores: [0], others, pruned: false },
]
const pruning = (change: (prune: Pruner) => unknown) => (): void =>
  describePruner(altered<Pruner>(median, change), { cases })

const verdict = 'returns a reason or undefined for any trial, the same every time, in any order of the others'
const mirrored = 'treats a score that is minimized as its negative that is maximized'
const intact = 'leaves the trials as they were'
const best = 'lets the best trial go on'

/** Ends what was below the median twice, over all that it was asked. */
const remembering = (prune: Pruner): Pruner => {
  let below = 0
  return (...all) => {
    const because = prune(...all)
    return because !== undefined && ++below > 1 ? because : undefined
  }
}

/** Pruners. */
export const pruners: readonly Specimen[] = [
  sound('the median', () => describePruner(median, { cases })),
  broken(
    'true instead of a reason',
    [verdict, 'ends what is worst'],
    pruning(
      (prune) =>
        (...all: Parameters<Pruner>) =>
          prune(...all) !== undefined || undefined,
    ),
  ),
  broken(
    'fails where there are no others',
    [verdict],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        them[0]!.scores === undefined ? 'no' : prune(trial, them, goals),
    ),
  ),
  broken(
    'looks at the first of the others alone',
    [verdict, mirrored],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        trial.scores.length === 3 && trial.scores.at(-1)!.values['score']! < 0.9 && them[0]?.state === 'completed'
          ? 'the first has completed'
          : prune(trial, them, goals),
    ),
  ),
  broken('remembers what it was asked before', [verdict, 'ends what is worst'], pruning(remembering)),
  broken(
    'takes every score as larger is better',
    [mirrored],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        prune(
          trial,
          them,
          goals.map((goal) => ({ ...goal, direction: 'maximize' })),
        ),
    ),
  ),
  broken(
    'writes into the trial',
    [intact],
    pruning((prune) => (trial: Trial, them: Trial[], goals: Goal[]) => {
      Object.assign(trial, { state: trial.state })
      return prune(trial, them, goals)
    }),
  ),
  broken(
    'sorts the others in place',
    [intact],
    pruning((prune) => (trial: Trial, them: Trial[], goals: Goal[]) => {
      them.sort((a, b) => a.id - b.id)
      return prune(trial, them, goals)
    }),
  ),
  broken(
    'ends what is good',
    [best],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        trial.scores.length === 5 ? 'long enough' : prune(trial, them, goals),
    ),
  ),
  broken('never ends the best although it says so', ['may end the best trial: it is said to'], () =>
    describePruner(
      altered(median, (sane) => sane, { exceptions: { best: 'it is said to' } }),
      { cases },
    ),
  ),
  broken(
    'ends trials at once',
    ['lets go on what has just begun'],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        trial.scores.length === 1 && them.length === 2 ? 'at once' : prune(trial, them, goals),
    ),
  ),
  broken('any options will do', uncheckedFails(5), () => describePruner(unchecked(median), { cases })),
]
