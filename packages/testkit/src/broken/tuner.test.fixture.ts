import {
  type Choice,
  type Distribution,
  type Suggestion,
  TUNER,
  type Trial,
  type Tuner,
  definePlugin,
} from '@attune/core'
import { z } from 'zod'
import { describeTuner } from '../describe-tuner.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Suggest = Tuner<number>['suggest']
type Proposal = Exclude<Suggestion<number>, string>

const sampled = (distribution: Distribution, random: number): Choice[string] => {
  if ('choices' in distribution) return distribution.choices[Math.floor(random * distribution.choices.length)]!
  const { from, to, scale, integer = false } = distribution
  const value = scale === 'log' ? from * (to / from) ** random : from + (to - from) * random
  return integer ? Math.round(value) : value
}

/** Random search; its memory is the number of samples. Every third trial pauses at half of its budget and is resumed. */
const chance = definePlugin({
  kind: TUNER,
  name: 'chance',
  summary: 'Samples each choice at random',
  options: z.strictObject({ skip: z.int().min(0).max(9).default(0).describe('Random numbers to skip') }),
  create: ({ skip }): Tuner<number> => ({
    suggest(space, trials, random, _goals, memory = 0) {
      const paused = trials.find(({ state }) => state === 'paused')
      if (paused !== undefined) return { choice: paused.choice, resume: paused.id, budget: 1, memory }
      for (let i = 0; i < skip; i++) random()
      const choice: Record<string, Choice[string]> = {}
      for (const [path, distribution] of Object.entries(space)) {
        const u = random()
        const holds = Object.entries(distribution.when ?? {}).every(([other, value]) => choice[other] === value)
        if (holds) choice[path] = sampled(distribution, u)
      }
      return { choice, memory: memory + 1, ...(memory % 3 === 0 ? { budget: 0.5 } : {}) }
    },
  }),
})

const within = 'suggests choices within the space, with exactly the hyperparameters whose conditions hold'
const possible = 'waits only while a trial runs, resumes only paused trials, and uses budgets within (0, 1]'
const repeats = 'repeats a study for the same random stream, and uses no other randomness'
const otherwise = 'runs a different study for another random stream'
const single = 'handles a space of a single choice and a single number'

const tuning = (change: (suggest: Suggest) => Suggest) => (): void =>
  describeTuner(altered<Tuner<number>>(chance, ({ suggest }) => ({ suggest: change(suggest) })))

/** Changes every suggestion. */
const changing = (change: (suggestion: Proposal, trials: readonly Trial[]) => Suggestion<number>) =>
  tuning(
    (suggest) =>
      (space, trials, ...rest) =>
        change(suggest(space, trials, ...rest) as Proposal, trials),
  )

/** Changes the value of one path, if present. */
const choosing = (path: string, change: (value: number) => Choice[string] | undefined) =>
  changing((suggestion) => {
    if (!Object.hasOwn(suggestion.choice, path)) return suggestion
    const changed = Object.entries({ ...suggestion.choice, [path]: change(Number(suggestion.choice[path])) })
    return { ...suggestion, choice: Object.fromEntries(changed.filter(([, value]) => value !== undefined)) as Choice }
  })

/** Alternates between two random streams, by the number of calls of this instance. */
const alternating = (suggest: Suggest): Suggest => {
  let calls = 0
  return (space, trials, random, ...rest) =>
    suggest(space, trials, calls++ % 2 === 0 ? random : () => 1 - random() - 2 ** -24, ...rest)
}

/** Tuner specimens. */
export const tuners: readonly Specimen[] = [
  valid('random search with pauses', () => describeTuner(chance)),
  broken(
    'exceeds an interval',
    [within],
    choosing('model.dropout', (value) => value * 1.1),
  ),
  broken(
    'returns a fraction for an integer',
    [within],
    choosing('training.batchSize', (value) => value + 1e-9),
  ),
  broken(
    'omits a path',
    [within],
    choosing('training.epochs', () => undefined),
  ),
  broken(
    'chooses an unknown value',
    [within],
    choosing('optimizer.use', () => 'adam'),
  ),
  broken(
    'ignores conditions',
    [within, single],
    changing((suggestion) => ({ ...suggestion, choice: { 'optimizer.damping': 1.5, ...suggestion.choice } })),
  ),
  broken(
    'returns an unknown path',
    [within, single],
    changing((suggestion) => ({ ...suggestion, choice: { ...suggestion.choice, other: 1 } })),
  ),
  broken(
    'waits at the start',
    [within, possible, otherwise, single],
    changing((suggestion, trials) => (trials.length === 0 ? 'wait' : suggestion)),
  ),
  broken(
    'resumes a completed trial',
    [possible],
    changing((suggestion, trials) => {
      const over = trials.find(({ state }) => state === 'completed')
      return over !== undefined && trials.length === 9
        ? { ...suggestion, choice: over.choice, resume: over.id, budget: 1 }
        : suggestion
    }),
  ),
  broken(
    'starts from an unknown trial',
    [possible],
    changing((suggestion, trials) => (trials.length === 9 ? { ...suggestion, from: 99 } : suggestion)),
  ),
  broken(
    'exceeds the full budget',
    [possible],
    changing((suggestion) => ({ ...suggestion, budget: (suggestion.budget ?? 1) * 1.01 })),
  ),
  broken(
    'requires a score of every trial',
    [within, possible, repeats, otherwise, single],
    changing((suggestion, trials) => {
      if (trials.length > 0) trials.at(-1)!.scores.at(-1)!.values['accuracy']!.toFixed()
      return suggestion
    }),
  ),
  broken(
    'requires a single goal',
    [within, possible],
    tuning((suggest) => (space, trials, random, goals, memory) => {
      if (goals.length > 1) throw new Error('one goal only')
      return suggest(space, trials, random, goals, memory)
    }),
  ),
  broken(
    'sorts the trials in place',
    [within, possible, repeats, otherwise, single],
    tuning((suggest) => (space, trials, ...rest) => {
      if (trials.length > 1) (trials as Trial[]).sort((a, b) => b.id - a.id)
      return suggest(space, trials, ...rest)
    }),
  ),
  broken(
    'uses Math.random',
    [repeats],
    tuning(
      (suggest) =>
        (space, trials, _, ...rest) =>
          suggest(space, trials, Math.random, ...rest),
    ),
  ),
  broken('keeps state outside its memory', [repeats], tuning(alternating)),
  broken(
    'ignores the random stream',
    [otherwise],
    tuning(
      (suggest) =>
        (space, trials, _, ...rest) =>
          suggest(space, trials, () => 0.3, ...rest),
    ),
  ),
  broken(
    'returns NaN for a single number',
    [single],
    choosing('b', () => NaN),
  ),
  broken('accepts any options', uncheckedFails(5), () => describeTuner(unchecked(chance))),
]
