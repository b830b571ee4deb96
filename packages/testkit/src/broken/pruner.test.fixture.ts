import { type Goal, PRUNER, type Pruner, type Trial, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describePruner } from '../describe-pruner.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Median pruning: ends a trial whose score is below the median of the others at the same step. */
const median = definePlugin({
  kind: PRUNER,
  name: 'median',
  summary: 'Prunes trials below the median of the others',
  options: z.strictObject({
    patience: z.int().min(0).max(100).default(1).describe('Steps before a trial may be pruned'),
  }),
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
  { name: 'the worst trial', scores: [0.9, 0.1], others, pruned: true },
  { name: 'a trial that has just started', scores: [0], others, pruned: false },
]
const pruning = (change: (prune: Pruner) => unknown) => (): void =>
  describePruner(altered<Pruner>(median, change), { cases })

const verdict = 'returns a reason or undefined for any trial, the same every time, in any order of the others'
const mirrored = 'treats minimizing a score as maximizing its negative'
const intact = 'does not modify the trials'
const best = 'does not prune the best trial'

/** Prunes only after the second verdict, across all calls. */
const remembering = (prune: Pruner): Pruner => {
  let below = 0
  return (...all) => {
    const because = prune(...all)
    return because !== undefined && ++below > 1 ? because : undefined
  }
}

/** Pruner specimens. */
export const pruners: readonly Specimen[] = [
  valid('the median', () => describePruner(median, { cases })),
  broken(
    'returns true instead of a reason',
    [verdict, 'prunes the worst trial'],
    pruning(
      (prune) =>
        (...all: Parameters<Pruner>) =>
          prune(...all) !== undefined || undefined,
    ),
  ),
  broken(
    'throws if there are no other trials',
    [verdict],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        them[0]!.scores === undefined ? 'no' : prune(trial, them, goals),
    ),
  ),
  broken(
    'depends on the order of the other trials',
    [verdict, mirrored],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        trial.scores.length === 3 && trial.scores.at(-1)!.values['score']! < 0.9 && them[0]?.state === 'completed'
          ? 'the first has completed'
          : prune(trial, them, goals),
    ),
  ),
  broken('counts its calls', [verdict, 'prunes the worst trial'], pruning(remembering)),
  broken(
    'always maximizes the score',
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
    'modifies the trial',
    [intact],
    pruning((prune) => (trial: Trial, them: Trial[], goals: Goal[]) => {
      Object.assign(trial, { state: trial.state })
      return prune(trial, them, goals)
    }),
  ),
  broken(
    'sorts the other trials in place',
    [intact],
    pruning((prune) => (trial: Trial, them: Trial[], goals: Goal[]) => {
      them.sort((a, b) => a.id - b.id)
      return prune(trial, them, goals)
    }),
  ),
  broken(
    'prunes the best trial',
    [best],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        trial.scores.length === 5 ? 'long enough' : prune(trial, them, goals),
    ),
  ),
  broken(
    'never prunes the best trial although its exception says so',
    ['may prune the best trial: it is said to'],
    () =>
      describePruner(
        altered(median, (sane) => sane, { exceptions: { best: 'it is said to' } }),
        { cases },
      ),
  ),
  broken(
    'prunes trials at once',
    ['continues a trial that has just started'],
    pruning(
      (prune) => (trial: Trial, them: Trial[], goals: Goal[]) =>
        trial.scores.length === 1 && them.length === 2 ? 'at once' : prune(trial, them, goals),
    ),
  ),
  broken('accepts any options', uncheckedFails(5), () => describePruner(unchecked(median), { cases })),
]
