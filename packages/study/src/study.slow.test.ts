import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Command, PRUNER, type Suggestion, TUNER, type Trial, type Tuner, definePlugin } from '@attune/core'
import { ReplaySubject, lastValueFrom, tap, toArray } from 'rxjs'
import { z } from 'zod'
import type { StudyEvent } from './events.js'
import type { StudyConfig } from './study-config.js'
import { type StudyOptions, study } from './study.js'
import { tinyConfig, tinyData } from './tiny.test.fixture.js'

const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))
const none = z.strictObject({})
const LEARNING_RATE = { 'training.learningRate': { from: 1e-3, to: 1e-1, scale: 'log' } } as const

const config = (directory: string, settings: object = {}, rest: object = {}): StudyConfig =>
  ({
    ...tinyConfig,
    ...rest,
    study: { space: LEARNING_RATE, trials: 3, goals: 'loss', directory, ...settings },
  }) as StudyConfig

const run = (given: StudyConfig, options: StudyOptions = {}): Promise<StudyEvent[]> =>
  lastValueFrom(study(given, { baseDirectory: folder, ...options }).pipe(toArray()))

const trialsIn = (events: readonly StudyEvent[]): readonly Trial[] => {
  const last = events.at(-1)
  return last?.type === 'study.completed' ? last.trials : []
}
/** Trials without their timings. */
const table = (events: readonly StudyEvent[]) => trialsIn(events).map(({ seconds: _, ...trial }) => trial)
const has = (directory: string, id: number, part: string): boolean =>
  existsSync(join(folder, directory, 'trials', String(id), part))

/** A tuner that replays a list of suggestions. */
const scripted = (moves: readonly Suggestion[]) =>
  definePlugin({
    kind: TUNER,
    name: 'scripted',
    summary: 'Replays a list of suggestions',
    options: none,
    create: (): Tuner<number> => ({
      suggest: (_space, _trials, _random, _goals, done = 0) => {
        const move = moves[done] ?? 'done'
        return typeof move === 'string' ? move : { ...move, memory: done + 1 }
      },
    }),
  })

/** Prunes the trial with the given id at its first score. */
const endTrial = (id: number) =>
  definePlugin({
    kind: PRUNER,
    name: 'end-trial',
    summary: 'Prunes one trial at its first score',
    options: none,
    create: () => (trial: Trial) => (trial.id === id && trial.scores.length === 1 ? 'requested' : undefined),
  })

describe('study', () => {
  it('runs trials with the tuner’s choices, keeps only the best model, and has nothing to do when run again', async () => {
    const events = await run(config('plain'))
    const trials = trialsIn(events)
    expect(trials.map(({ state, scores }) => [state, scores.map(({ step }) => step)])).toEqual(
      [0, 1, 2].map(() => ['completed', [3, 6, 9]]),
    )
    const losses = trials.map(({ scores }) => scores.at(-1)!.values['loss']!)
    const best = losses.indexOf(Math.min(...losses))
    expect(events.at(-1)).toMatchObject({ because: 'finished', best: [best] })
    expect([0, 1, 2].filter((id) => has('plain', id, 'model'))).toEqual([best])
    expect(readdirSync(join(folder, 'plain')).sort()).toEqual(['study.json', 'trials', 'trials.jsonl'])
    const again = await run(config('plain'))
    expect([again.map(({ type }) => type), trialsIn(again)]).toEqual([['study.started', 'study.completed'], trials])
  })

  it('resumes where it was stopped, with more trials if requested', async () => {
    const whole = await run(config('whole', { trials: 3 }))
    const commands = new ReplaySubject<Command>()
    const stopAt = ({ type, ...event }: StudyEvent): void => {
      if (type === 'trial.scored' && 'trial' in event && event.trial === 1)
        commands.next({ type: 'stop', because: 'enough' })
    }
    const part = await lastValueFrom(
      study(config('parts', { trials: 2 }), { baseDirectory: folder, commands }).pipe(tap(stopAt), toArray()),
    )
    expect(part.at(-1)).toMatchObject({ because: 'enough' })
    expect(trialsIn(part).map(({ state }) => state)).toEqual(['completed', 'running'])
    const rest = await run(config('parts', { trials: 3 }))
    expect(rest.find(({ type }) => type === 'trial.resumed')).toMatchObject({ trial: 1, step: 3 })
    expect(table(rest)).toEqual(table(whole))
  })

  it('prunes trials, and continues after failed ones', async () => {
    const space = { 'data.train.path': ['train.jsonl', 'missing.jsonl'] }
    const moves = ['train.jsonl', 'missing.jsonl', 'train.jsonl'].map((path) => ({
      choice: { 'data.train.path': path },
    }))
    const events = await run(config('pruned', { space, tuner: scripted(moves), pruner: endTrial(2) }))
    expect(trialsIn(events).map(({ state, scores }) => [state, scores.length])).toEqual([
      ['completed', 3],
      ['failed', 0],
      ['pruned', 1],
    ])
    const reasons = events.flatMap((event) => (event.type === 'trial.completed' ? [event.because] : []))
    expect(reasons).toEqual([undefined, expect.stringContaining('missing.jsonl'), 'requested'])
    expect(events.at(-1)).toMatchObject({ best: [0] })
    expect(has('pruned', 2, 'checkpoints')).toBe(false)
  })

  it('pauses a trial when its budget is used up, resumes it, and starts others from its checkpoint', async () => {
    const choice = { 'training.learningRate': 0.05 }
    const moves: Suggestion[] = [
      { choice, budget: 0.4 },
      { choice: { 'training.learningRate': 0.01 }, from: 0, budget: 0.8 },
      { choice, resume: 0, budget: 1 },
    ]
    const events = await run(config('budgets', { tuner: scripted(moves) }))
    const [first, second] = trialsIn(events)
    // 9 steps, evaluated every 3: a budget of 0.4 ends after step 4, one of 0.8 after step 8, each with its own evaluation.
    expect(first).toMatchObject({ state: 'completed', budget: 1 })
    expect(first!.scores.map(({ step }) => step)).toEqual([3, 4, 6, 9])
    expect(second).toMatchObject({ state: 'paused', from: 0, budget: 0.8 })
    expect(second!.scores.map(({ step }) => step)).toEqual([3, 4, 6, 8])
    expect(second!.scores.slice(0, 2)).toEqual(first!.scores.slice(0, 2))
    expect(second!.scores[2]).not.toEqual(first!.scores[2])
    const straight = trialsIn(await run(config('straight', { tuner: scripted([{ choice }]) })))[0]!
    const at = (trial: Trial) => trial.scores.filter(({ step }) => step % 3 === 0)
    expect(at(first!)).toEqual(at(straight))
  })

  it('fails if the tuner waits while nothing runs, and rejects plugin objects for parallel trials', async () => {
    await expect(run(config('stuck', { tuner: scripted(['wait']) }))).rejects.toMatchObject({ code: 'TUNER_STUCK' })
    const metric = definePlugin({ kind: PRUNER, name: 'x', summary: 'x', options: none, create: () => () => undefined })
    await expect(
      run(config('sent', { parallel: 2 }, { tracker: [], callback: metric as never })),
    ).rejects.toMatchObject({ code: expect.stringMatching(/BAD_/) })
  })
})

describe('parallel trials', () => {
  it('have the same choices and scores as sequential trials with a random tuner', async () => {
    const one = await run(config('one'))
    const two = await run(config('two', { parallel: 2 }))
    expect(table(two)).toEqual(table(one))
    expect(two.slice(1, 3).map(({ type }) => type)).toEqual(['trial.started', 'trial.started'])
  })

  it('fail with a reason if their process ends', async () => {
    const core = pathToFileURL(fileURLToPath(new URL('../../core/dist/index.js', import.meta.url))).href
    const crash = join(folder, 'crash.mjs')
    writeFileSync(
      crash,
      `import { CALLBACK, definePlugin } from ${JSON.stringify(core)}
import { EMPTY, tap, ignoreElements } from ${JSON.stringify(import.meta.resolve('rxjs'))}
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
export default definePlugin({ kind: CALLBACK, name: 'crash', summary: 'Kills the process at a step',
  options: z.strictObject({ step: z.int().describe('Step') }),
  create: ({ step }) => (events) =>
    events.pipe(tap((event) => event.step === step && process.kill(process.pid, 'SIGKILL')), ignoreElements()) })
`,
    )
    const settings = {
      space: { 'callback.step': [2, 1000] },
      trials: 2,
      parallel: 2,
      tuner: { use: './scripted.mjs' },
    }
    writeFileSync(
      join(folder, 'scripted.mjs'),
      `import { TUNER, definePlugin } from ${JSON.stringify(core)}
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
export default definePlugin({ kind: TUNER, name: 'scripted', summary: 'Two choices', options: z.strictObject({}),
  create: () => ({ suggest: (space, trials) => ({ choice: { 'callback.step': trials.length === 0 ? 2 : 1000 } }) }) })
`,
    )
    const events = await run(config('crash', settings, { callback: { use: './crash.mjs', step: 1000 } }))
    expect(trialsIn(events).map(({ state }) => state)).toEqual(['failed', 'completed'])
    expect(events.find((event) => event.type === 'trial.completed' && event.state === 'failed')).toMatchObject({
      because: 'the process of the trial ended by SIGKILL',
    })
  })
})
