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
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Suggest = Tuner<number>['suggest']
type Move = Exclude<Suggestion<number>, string>

const sampled = (distribution: Distribution, random: number): Choice[string] => {
  if ('choices' in distribution) return distribution.choices[Math.floor(random * distribution.choices.length)]!
  const { from, to, scale, integer = false } = distribution
  const value = scale === 'log' ? from * (to / from) ** random : from + (to - from) * random
  return integer ? Math.round(value) : value
}

/** Samples each choice; its memory is how many it has sampled. Every third trial pauses at half of its budget and is resumed. */
const chance = definePlugin({
  kind: TUNER,
  name: 'chance',
  summary: 'Samples each choice at random',
  options: z.strictObject({ skip: z.int().min(0).max(9).default(0).describe('Random numbers to pass over') }),
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

const within = 'suggests choices within the space, with the hyperparameters that exist under their conditions'
const possible = 'waits only while a trial runs, resumes only paused trials, and takes budgets within (0, 1]'
const repeats = 'repeats a study from the same random numbers, and samples no others'
const otherwise = 'makes another study from other random numbers'
const single = 'takes a space of one choice, and one of a single number'

const tuning = (change: (suggest: Suggest) => Suggest) => (): void =>
  describeTuner(altered<Tuner<number>>(chance, ({ suggest }) => ({ suggest: change(suggest) })))

/** Changes every move. */
const moving = (change: (move: Move, trials: readonly Trial[]) => Suggestion<number>) =>
  tuning(
    (suggest) =>
      (space, trials, ...rest) =>
        change(suggest(space, trials, ...rest) as Move, trials),
  )

/** Changes the value of one path where it is there. */
const choosing = (path: string, change: (value: number) => Choice[string] | undefined) =>
  moving((move) => {
    if (!Object.hasOwn(move.choice, path)) return move
    const changed = Object.entries({ ...move.choice, [path]: change(Number(move.choice[path])) })
    return { ...move, choice: Object.fromEntries(changed.filter(([, value]) => value !== undefined)) as Choice }
  })

/** Alternates between two ways, by how often this instance was asked. */
const alternating = (suggest: Suggest): Suggest => {
  let asked = 0
  return (space, trials, random, ...rest) =>
    suggest(space, trials, asked++ % 2 === 0 ? random : () => 1 - random() - 2 ** -24, ...rest)
}

/** Tuners. */
export const tuners: readonly Specimen[] = [
  sound('random search that pauses', () => describeTuner(chance)),
  broken(
    'a number beyond its interval',
    [within],
    choosing('model.dropout', (value) => value * 1.1),
  ),
  broken(
    'an integer that is not',
    [within],
    choosing('training.batchSize', (value) => value + 1e-9),
  ),
  broken(
    'leaves a path out',
    [within],
    choosing('training.epochs', () => undefined),
  ),
  broken(
    'chooses what there is not',
    [within],
    choosing('optimizer.use', () => 'adam'),
  ),
  broken(
    'does not look at conditions',
    [within, single],
    moving((move) => ({ ...move, choice: { 'optimizer.damping': 1.5, ...move.choice } })),
  ),
  broken(
    'names a path that there is not',
    [within, single],
    moving((move) => ({ ...move, choice: { ...move.choice, other: 1 } })),
  ),
  broken(
    'waits at the start',
    [within, possible, otherwise, single],
    moving((move, trials) => (trials.length === 0 ? 'wait' : move)),
  ),
  broken(
    'resumes what has completed',
    [possible],
    moving((move, trials) => {
      const over = trials.find(({ state }) => state === 'completed')
      return over !== undefined && trials.length === 9
        ? { ...move, choice: over.choice, resume: over.id, budget: 1 }
        : move
    }),
  ),
  broken(
    'starts from a trial that there is not',
    [possible],
    moving((move, trials) => (trials.length === 9 ? { ...move, from: 99 } : move)),
  ),
  broken(
    'a budget above the whole',
    [possible],
    moving((move) => ({ ...move, budget: (move.budget ?? 1) * 1.01 })),
  ),
  broken(
    'expects a score of every trial',
    [within, possible, repeats, otherwise, single],
    moving((move, trials) => {
      if (trials.length > 0) trials.at(-1)!.scores.at(-1)!.values['accuracy']!.toFixed()
      return move
    }),
  ),
  broken(
    'expects one goal',
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
    'samples numbers of its own',
    [repeats],
    tuning(
      (suggest) =>
        (space, trials, _, ...rest) =>
          suggest(space, trials, Math.random, ...rest),
    ),
  ),
  broken('keeps what it needs outside its memory', [repeats], tuning(alternating)),
  broken(
    'does not use the random numbers',
    [otherwise],
    tuning(
      (suggest) =>
        (space, trials, _, ...rest) =>
          suggest(space, trials, () => 0.3, ...rest),
    ),
  ),
  broken(
    'fails where there is nothing to choose',
    [single],
    choosing('b', () => NaN),
  ),
  broken('any options will do', uncheckedFails(5), () => describeTuner(unchecked(chance))),
]
