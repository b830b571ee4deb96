import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { type AnyPlugin, type Choice, type Space, type Trial, type Tuner, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { frozen } from './frozen.js'

/** Every form of range that core knows. */
const SPACE: Space = {
  'optimizer.use': { choices: ['sgd', 'adamw', 'lion'] },
  'optimizer.nesterov': { choices: [true, false] },
  'training.learningRate': { from: 1e-6, to: 1e-2, scale: 'log' },
  'training.batchSize': { from: 4, to: 64, scale: 'log', whole: true },
  'training.epochs': { from: 1, to: 4, scale: 'linear', whole: true },
  'model.dropout': { from: 0, to: 0.5, scale: 'linear' },
}
const TRIALS = 24
const STATES = ['completed', 'completed', 'pruned', 'completed', 'failed', 'running'] as const

/** What is wrong with a choice; nothing if it lies within the space. */
const outside = (space: Space, choice: Choice): string[] => {
  const wrong = Object.keys(choice).filter((path) => !Object.hasOwn(space, path))
  for (const [path, range] of Object.entries(space)) {
    const value = choice[path]
    if ('choices' in range ? !range.choices.includes(value as string) : !isWithin(value, range)) wrong.push(path)
  }
  return wrong
}

const isWithin = (
  value: unknown,
  { from, to, whole = false }: { from: number; to: number; whole?: boolean },
): boolean => typeof value === 'number' && value >= from && value <= to && (!whole || Number.isInteger(value))

/** A search of {@link TRIALS} trials, which end in every way there is; what was chosen, in order. */
function search(make: () => Tuner, seed: number, space: Space = SPACE): Choice[] {
  let [trials, memory]: [Trial[], unknown] = [[], undefined]
  for (let id = 0; id < TRIALS; id++) {
    const random = stream(key(seed * 1000 + id))
    const { choice, memory: next } = make().suggest(frozen(space), frozen(trials), random, memory)
    const state = STATES[id % STATES.length]!
    // Higher is better; a failed trial has no score, and a pruned one has its first.
    const scores = [1, 2, 3].map((step) => ({
      step,
      value: Math.sin(id) - Number(choice['model.dropout'] ?? 0) + step,
    }))
    trials = [
      ...trials,
      { id, choice, state, scores: state === 'failed' ? [] : scores.slice(0, state === 'pruned' ? 1 : 3) },
    ]
    memory = next === undefined ? undefined : (JSON.parse(JSON.stringify(next)) as unknown)
  }
  return trials.map(({ choice }) => choice)
}

/**
 * The contract of a tuner: every suggestion lies within the space and names all of it, after trials that completed,
 * failed, were pruned or still run; the same search comes of the same random numbers, whether the tuner is kept or
 * made anew each time, while its memory goes through JSON; trials and space stay as they were. A tuner that uses no randomness says so under
 * `exceptions: { random: reason }` of its manifest.
 */
export function describeTuner(
  plugin: AnyPlugin,
  { options = {} }: { readonly options?: Readonly<Record<string, unknown>> } = {},
): void {
  describe(`tuner ${plugin.name}`, () => {
    const make = (): Tuner => plugin(options) as Tuner
    afterEach(() => void jest.restoreAllMocks())
    describeOptions(plugin, options)

    it(`suggests ${TRIALS} choices within the space, whatever became of the trials before`, () => {
      for (let seed = 0; seed < 5; seed++)
        expect(search(make, seed).flatMap((choice) => outside(SPACE, choice))).toEqual([])
    })

    it('searches alike from the same random numbers, and draws no others', () => {
      jest.spyOn(Math, 'random').mockImplementation(() => {
        throw new Error('Math.random was called; draw from `random`')
      })
      const kept = make()
      expect(search(() => kept, 1)).toEqual(search(make, 1))
    })

    const excused = plugin.exceptions?.['random']
    it(excused === undefined ? 'searches otherwise from other random numbers' : `uses none: ${excused}`, () => {
      if (excused === undefined) expect(search(make, 2)).not.toEqual(search(make, 1))
      else expect(search(make, 2)).toEqual(search(make, 1))
    })

    it('takes a space of one choice, and one of a single number', () => {
      const space: Space = { a: { choices: ['only'] }, b: { from: 2, to: 2, scale: 'log' } }
      for (const choice of search(make, 1, space)) expect(choice).toEqual({ a: 'only', b: expect.closeTo(2, 9) })
    })
  })
}
