import { type Choice, type Range, TUNER, type Trial, type Tuner, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeTuner } from '../describe-tuner.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

type Suggest = Tuner<number>['suggest']

const drawn = (range: Range, random: number): Choice[string] => {
  if ('choices' in range) return range.choices[Math.floor(random * range.choices.length)]!
  const { from, to, scale, whole = false } = range
  const value = scale === 'log' ? from * (to / from) ** random : from + (to - from) * random
  return whole ? Math.round(value) : value
}

/** Draws each choice anew; its memory is how many it has drawn. */
const chance = definePlugin({
  kind: TUNER,
  name: 'chance',
  summary: 'Draws each choice at random',
  options: z.strictObject({ skip: z.int().min(0).max(9).default(0).describe('Random numbers to pass over') }),
  create: ({ skip }): Tuner<number> => ({
    suggest(space, _, random, memory = 0) {
      for (let i = 0; i < skip; i++) random()
      const choice = Object.fromEntries(Object.entries(space).map(([path, range]) => [path, drawn(range, random())]))
      return { choice, memory: memory + 1 }
    },
  }),
})

const within = 'suggests 24 choices within the space, whatever became of the trials before'
const alike = 'searches alike from the same random numbers, and draws no others'
const otherwise = 'searches otherwise from other random numbers'
const single = 'takes a space of one choice, and one of a single number'

const tuning = (change: (suggest: Suggest) => Suggest) => (): void =>
  describeTuner(altered<Tuner<number>>(chance, ({ suggest }) => ({ suggest: change(suggest) })))

/** What is chosen, with one path changed where it is there. */
const choosing = (path: string, change: (value: number) => Choice[string] | undefined) =>
  tuning((suggest) => (...all) => {
    const { choice, memory } = suggest(...all)
    if (!Object.hasOwn(choice, path)) return { choice, memory: memory! }
    const changed = Object.entries({ ...choice, [path]: change(Number(choice[path])) })
    return { choice: Object.fromEntries(changed.filter(([, value]) => value !== undefined)) as Choice, memory: memory! }
  })

const lastOf = (trials: readonly Trial[]): Trial['scores'][number] | undefined => trials.at(-1)?.scores.at(-1)

/** Alternates between two ways, by how often this instance was asked. */
const alternating = (suggest: Suggest): Suggest => {
  let asked = 0
  return (space, trials, random, memory) =>
    suggest(space, trials, asked++ % 2 === 0 ? random : () => 1 - random() - 2 ** -24, memory)
}

/** Tuners. */
export const tuners: readonly Specimen[] = [
  sound('random search', () => describeTuner(chance)),
  broken(
    'a number beyond its range',
    [within],
    choosing('model.dropout', (value) => value * 1.1),
  ),
  broken(
    'a whole number that is not',
    [within],
    choosing('training.batchSize', (value) => value + 1e-9),
  ),
  broken(
    'leaves a path out',
    [within],
    choosing('optimizer.nesterov', () => undefined),
  ),
  broken(
    'chooses what there is not',
    [within],
    choosing('optimizer.use', () => 'adam'),
  ),
  broken(
    'names a path that there is not',
    [within, single],
    tuning((suggest) => (...all) => ({ ...suggest(...all), choice: { ...suggest(...all).choice, other: 1 } })),
  ),
  broken(
    'expects a score of every trial',
    [within, alike, otherwise, single],
    tuning((suggest) => (space, trials, ...rest) => {
      if (trials.length > 0) lastOf(trials)!.value.toFixed()
      return suggest(space, trials, ...rest)
    }),
  ),
  broken(
    'sorts the trials in place',
    [within, alike, otherwise, single],
    tuning((suggest) => (space, trials, ...rest) => {
      if (trials.length > 1) (trials as Trial[]).sort((a, b) => b.id - a.id)
      return suggest(space, trials, ...rest)
    }),
  ),
  broken(
    'draws numbers of its own',
    [alike],
    tuning((suggest) => (space, trials, _, memory) => suggest(space, trials, Math.random, memory)),
  ),
  broken('keeps what it needs outside its memory', [alike], tuning(alternating)),
  broken(
    'does not heed the random numbers',
    [otherwise],
    tuning((suggest) => (space, trials, _, memory) => suggest(space, trials, () => 0.3, memory)),
  ),
  broken(
    'fails where there is nothing to choose',
    [single],
    choosing('b', () => NaN),
  ),
  broken('any options will do', uncheckedFails(5), () => describeTuner(unchecked(chance))),
]
