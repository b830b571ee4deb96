import { PRUNER, type Pruner, type Trial, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describePruner } from '../describe-pruner.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Gives up a trial that is below the median of the others at the same step. */
const median = definePlugin({
  kind: PRUNER,
  name: 'median',
  summary: 'Gives up a trial below the median of the others',
  options: z.strictObject({ patience: z.int().min(0).max(100).default(1).describe('Steps without a judgement') }),
  create:
    ({ patience }): Pruner =>
    ({ scores }, others) => {
      const { step, value } = scores.at(-1) ?? { step: 0, value: 0 }
      const values = others.flatMap((other) => other.scores.filter((score) => score.step === step).map((s) => s.value))
      return step > patience && values.length > 0 && value < values.sort((a, b) => a - b)[values.length >> 1]!
    },
})

const cases = [
  {
    name: 'what is worst',
    scores: [0.9, 0.1],
    others: [
      [0.1, 0.2],
      [0.3, 0.4],
    ],
    pruned: true,
  },
  {
    name: 'what has just begun',
    scores: [0],
    others: [
      [0.1, 0.2],
      [0.3, 0.4],
    ],
    pruned: false,
  },
]
const pruning = (change: (prune: Pruner) => unknown) => (): void =>
  describePruner(altered<Pruner>(median, change), { cases })

const verdict = 'says yes or no of any trial, alike every time, in any order of the others'
const intact = 'leaves the trials as they were'
const best = 'lets the best trial go on'

/** Gives up what was below the median twice, over all that it was asked. */
const remembering = (prune: Pruner): Pruner => {
  let below = 0
  return (...all) => prune(...all) && ++below > 1
}

/** Pruners. */
export const pruners: readonly Specimen[] = [
  sound('the median', () => describePruner(median, { cases })),
  broken(
    'no verdict on what has no score',
    [verdict],
    pruning(
      (prune) => (trial: Trial, others: Trial[]) =>
        trial.scores.length === 0 && trial.id === 9 && others.length === 0 ? undefined : prune(trial, others),
    ),
  ),
  broken(
    'fails where there are no others',
    [verdict],
    pruning((prune) => (trial: Trial, others: Trial[]) => prune(trial, others) || others[0]!.scores === undefined),
  ),
  broken(
    'compares with the first of the others',
    [verdict],
    pruning(
      (prune) => (trial: Trial, others: Trial[]) =>
        (trial.scores.length > 2 && trial.scores.at(-1)!.value < (others[0]?.scores.at(-1)?.value ?? 0)) ||
        prune(trial, others),
    ),
  ),
  broken('remembers what it was asked before', [verdict, 'gives up what is worst'], pruning(remembering)),
  broken(
    'writes into the trial',
    [intact],
    pruning(
      (prune) => (trial: Trial, others: Trial[]) => (
        Object.assign(trial, { state: trial.state }),
        prune(trial, others)
      ),
    ),
  ),
  broken(
    'sorts the others in place',
    [intact],
    pruning((prune) => (trial: Trial, others: Trial[]) => (others.sort((a, b) => a.id - b.id), prune(trial, others))),
  ),
  broken(
    'gives up what is good',
    [best],
    pruning((prune) => (trial: Trial, others: Trial[]) => trial.scores.length > 4 || prune(trial, others)),
  ),
  broken('never gives up the best although it says so', ['may give up the best trial: it is said to'], () =>
    describePruner(
      altered(median, (sane) => sane, { exceptions: { best: 'it is said to' } }),
      { cases },
    ),
  ),
  broken(
    'judges at once',
    ['lets go on what has just begun'],
    pruning(
      (prune) => (trial: Trial, others: Trial[]) =>
        prune(trial, others) || (trial.scores.length === 1 && others.length === 2),
    ),
  ),
  broken('any options will do', uncheckedFails(5), () => describePruner(unchecked(median), { cases })),
]
