import {
  type AnyPlugin,
  type Choice,
  type Distribution,
  type Goal,
  type Space,
  type Suggestion,
  type Trial,
  type Tuner,
  key,
  stream,
} from '@attune/core'
import { describeOptions } from './describe-options.js'
import { itPromises } from './exceptions.js'
import { frozen } from './frozen.js'
import { describe, expect, it } from './runner.js'
import { withoutMathRandom } from './without-math-random.js'

/** A space with every form of distribution, and conditions on conditions. */
const SPACE: Space = {
  'optimizer.use': { choices: ['sgd', 'adamw', 'lion'] },
  'optimizer.momentum': { from: 0, to: 0.99, scale: 'linear', when: { 'optimizer.use': 'sgd' } },
  'optimizer.nesterov': { choices: [true, false], when: { 'optimizer.use': 'sgd' } },
  'training.learningRate': { from: 1e-6, to: 1e-2, scale: 'log' },
  'training.batchSize': { from: 4, to: 64, scale: 'log', integer: true },
  'training.epochs': { from: 1, to: 4, scale: 'linear', integer: true },
  'model.dropout': { from: 0, to: 0.5, scale: 'linear' },
  'optimizer.damping': { from: 1, to: 2, scale: 'linear', when: { 'optimizer.nesterov': false } },
}
const TRIALS = 24
const MOVES = 500
/** Number of concurrent trials. */
const PARALLEL = 2
const STATES = ['completed', 'completed', 'pruned', 'completed', 'failed'] as const
const ONE: readonly Goal[] = [{ score: 'accuracy', direction: 'maximize' }]
const GOALS: readonly (readonly Goal[])[] = [
  ONE,
  [{ score: 'loss', direction: 'minimize' }],
  [...ONE, { score: 'loss', direction: 'minimize' }],
]

const exists = ({ when = {} }: Distribution, choice: Choice): boolean =>
  Object.entries(when).every(([path, value]) => choice[path] === value)

function isWithin(value: Choice[string] | undefined, distribution: Distribution): boolean {
  if ('choices' in distribution) return distribution.choices.includes(value as string)
  const { from, to, integer = false } = distribution
  return typeof value === 'number' && value >= from && value <= to && (!integer || Number.isInteger(value))
}

/** Invalid paths of a choice: missing, not in the space, out of range, or without their condition. */
const outside = (space: Space, choice: Choice): string[] => [
  ...Object.keys(choice).filter((path) => !Object.hasOwn(space, path)),
  ...Object.entries(space)
    .filter(([path, distribution]) =>
      exists(distribution, choice) ? !isWithin(choice[path], distribution) : Object.hasOwn(choice, path),
    )
    .map(([path]) => path),
]

/** Ends a trial in one of the possible states: a failed one has no scores, and a pruned one only its first. */
function ended(trial: Trial): Trial {
  const state = (trial.budget ?? 1) < 1 ? 'paused' : STATES[trial.id % STATES.length]!
  const dropout = Number(trial.choice['model.dropout'] ?? 0)
  const last = Math.max(1, Math.ceil(3 * (trial.budget ?? 1)))
  const scores = Array.from({ length: last }, (_, i) => ({
    step: i + 1,
    values: { accuracy: Math.sin(trial.id) - dropout + i, loss: 1 / (i + 1) + dropout },
  }))
  return {
    ...trial,
    state,
    seconds: 1,
    scores: state === 'failed' ? [] : state === 'pruned' ? scores.slice(0, 1) : scores,
  }
}

interface Search {
  readonly choices: readonly Choice[]
  /** Suggestions that a study cannot carry out. */
  readonly impossible: readonly string[]
}

/** Problems of a suggestion that make it impossible to carry out. */
function problemsOf(suggestion: Exclude<Suggestion, string>, trials: readonly Trial[]): string[] {
  const { budget = 1, resume, from } = suggestion
  const resumed = trials.find(({ id }) => id === resume)
  return [
    ...(budget > 0 && budget <= 1 ? [] : [`a budget of ${budget}`]),
    ...(resume === undefined || resumed?.state === 'paused' ? [] : [`resumes trial ${resume}, which is not paused`]),
    ...(resumed !== undefined && budget <= (resumed.budget ?? 1)
      ? [`resumes trial ${resume} with no larger budget`]
      : []),
    ...(from === undefined || trials.some(({ id, state }) => id === from && state !== 'failed')
      ? []
      : [`starts from trial ${from}, which has no checkpoint`]),
  ]
}

/** Trials after a suggestion is carried out. */
function carriedOut(trials: readonly Trial[], suggestion: Exclude<Suggestion, string>): readonly Trial[] {
  const { choice, budget, resume, from } = suggestion
  const optional = { ...(budget === undefined ? {} : { budget }), ...(from === undefined ? {} : { from }) }
  if (resume === undefined)
    return [...trials, { id: trials.length, choice, ...optional, scores: [], seconds: 0, state: 'running' }]
  return trials.map((trial) =>
    trial.id === resume ? { ...trial, budget: budget ?? 1, state: 'running' as const } : trial,
  )
}

/** Runs a study of {@link TRIALS} trials, two at a time, which end in every possible state. */
function search(make: () => Tuner, seed: number, space: Space = SPACE, goals: readonly Goal[] = ONE): Search {
  let [trials, memory]: [readonly Trial[], unknown] = [[], undefined]
  const impossible: string[] = []
  const running = (): readonly Trial[] => trials.filter(({ state }) => state === 'running')
  const endOne = (): void => {
    const [first] = running()
    trials = trials.map((trial) => (trial === first ? ended(trial) : trial))
  }
  for (let move = 0; move < MOVES; move++) {
    const random = stream(key(seed * 1000 + trials.length))
    const suggestion = make().suggest(frozen(space), frozen(trials), random, frozen(goals), memory)
    if (suggestion === 'done') break
    if (suggestion === 'wait') {
      if (running().length === 0) return { choices: [], impossible: ['waits though no trial runs'] }
      endOne()
      continue
    }
    if (suggestion.resume === undefined && trials.length >= TRIALS) {
      if (running().length === 0) break
      endOne()
      continue
    }
    impossible.push(...problemsOf(suggestion, trials))
    trials = carriedOut(trials, suggestion)
    memory = suggestion.memory === undefined ? memory : (JSON.parse(JSON.stringify(suggestion.memory)) as unknown)
    if (running().length >= PARALLEL) endOne()
  }
  return { choices: trials.map(({ choice }) => choice), impossible }
}

/**
 * Contract of a tuner: every choice is within the space and has exactly the hyperparameters whose conditions hold, after trials that
 * completed, failed, were pruned or are running, for one goal and for several; suggests only what a study can carry out; repeats a
 * study for the same random stream, whether the tuner is reused or recreated for each suggestion, while its memory passes through
 * JSON; and does not modify trials and space. A tuner without randomness states `exceptions: { random: reason }` in its manifest.
 */
export function describeTuner(
  plugin: AnyPlugin,
  { options = {} }: { readonly options?: Readonly<Record<string, unknown>> } = {},
): void {
  describe(`tuner ${plugin.name}`, () => {
    const make = (): Tuner => plugin(options) as Tuner
    describeOptions(plugin, options)

    it('suggests choices within the space, with exactly the hyperparameters whose conditions hold', () => {
      for (let seed = 0; seed < 5; seed++)
        for (const goals of GOALS) {
          const { choices } = search(make, seed, SPACE, goals)
          expect(choices.length).toBeGreaterThan(0)
          expect(choices.flatMap((choice) => outside(SPACE, choice))).toEqual([])
        }
    })

    it('waits only while a trial runs, resumes only paused trials, and uses budgets within (0, 1]', () => {
      for (let seed = 0; seed < 5; seed++)
        for (const goals of GOALS) expect(search(make, seed, SPACE, goals).impossible).toEqual([])
    })

    it('repeats a study for the same random stream, and uses no other randomness', () =>
      withoutMathRandom(() => {
        const kept = make()
        expect(search(() => kept, 1)).toEqual(search(make, 1))
      }))

    itPromises(
      plugin,
      'random',
      { kept: 'runs a different study for another random stream', excused: 'uses no randomness' },
      (reason) => {
        if (reason === undefined) expect(search(make, 2)).not.toEqual(search(make, 1))
        else expect(search(make, 2)).toEqual(search(make, 1))
      },
    )

    it('handles a space of a single choice and a single number', () => {
      const space: Space = { a: { choices: ['only'] }, b: { from: 2, to: 2, scale: 'log' } }
      const { choices } = search(make, 1, space)
      expect(choices.length).toBeGreaterThan(0)
      for (const choice of choices) expect(choice).toEqual({ a: 'only', b: expect.closeTo(2, 9) })
    })
  })
}
