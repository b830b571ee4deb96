import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { type Command, PROTOCOL, definePlugin } from '@attune/core'
import { type RunConfig, evaluateRun } from '@attune/trainer/node'
import { ReplaySubject, lastValueFrom, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { type CrossValidateOptions, crossValidate } from './cross-validate.js'
import type { CrossValidationEvent } from './events.js'
import { foldScores } from './summary.js'
import { tinyConfig, tinyData } from './tiny.test.fixture.js'

const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))
const config = (directory: string, rest: object = {}): RunConfig => ({
  ...tinyConfig,
  protocol: { use: 'k-fold', folds: 3 },
  directory,
  ...rest,
})
const run = (given: RunConfig, options: CrossValidateOptions = {}): Promise<CrossValidationEvent[]> =>
  lastValueFrom(crossValidate(given, { baseDirectory: folder, ...options }).pipe(toArray()))

/** A three-way split: each fold trains on one third, validates on another and tests on the last. */
const nested = definePlugin({
  kind: PROTOCOL,
  name: 'nested',
  summary: 'Three thirds, each used once for training, validation and testing',
  options: z.strictObject({}),
  create: () => ({
    split(count: number) {
      const part = (k: number) => Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 === k % 3)
      return [0, 1, 2].map((k) => ({ train: part(k), validation: part(k + 1), test: part(k + 2) }))
    },
  }),
})

describe('foldScores', () => {
  it('returns the mean and the sample standard deviation', () =>
    expect(foldScores([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({
      mean: 5,
      standardDeviation: expect.closeTo(2.138089935299395, 12), // statistics.stdev of Python
      values: [2, 4, 4, 4, 5, 5, 7, 9],
    }))
})

describe('crossValidate', () => {
  it('evaluates the model of each fold on its validation split', async () => {
    const events = await run(config('folds'))
    const last = events.at(-1)
    if (last?.type !== 'crossValidation.completed') throw new Error('expected crossValidation.completed')
    expect([last.folds, last.because, Object.keys(last.scores)]).toEqual([3, 'finished', ['loss', 'accuracy']])
    const { values } = last.scores['accuracy']!
    for (const [fold, value] of values.entries()) {
      const { scores, examples } = await evaluateRun(join(folder, 'folds/folds', String(fold)), { split: 'validation' })
      expect([examples, scores['accuracy']!.value]).toEqual([20, value])
    }
    const again = await run(config('folds'))
    expect(again.map(({ type }) => type)).toEqual(['crossValidation.completed'])
    expect(again[0]).toMatchObject({ scores: last.scores })
  })

  it('resumes at the fold where it was stopped, with the same scores', async () => {
    const commands = new ReplaySubject<Command>()
    const stop = (event: CrossValidationEvent): void => {
      if (event.type === 'fold.progressed' && event.fold === 1) commands.next({ type: 'stop', because: 'enough' })
    }
    const events = crossValidate(config('stopped'), { baseDirectory: folder, commands }).pipe(tap(stop))
    expect(await lastValueFrom(events)).toMatchObject({ because: 'enough', scores: {} })
    const rest = await run(config('stopped'))
    const begun = rest.flatMap((event) => (event.type === 'fold.started' ? [[event.fold, event.step > 0]] : []))
    expect(begun).toEqual([
      [1, true],
      [2, false],
    ])
    const whole = (await run(config('folds'))).at(-1) as { scores: object }
    expect(rest.at(-1)).toMatchObject({ scores: whole.scores })
  })

  it('evaluates the final model of a fold on its test split once', async () => {
    const events = await run(config('nested', { protocol: nested }))
    const last = events.at(-1)
    if (last?.type !== 'crossValidation.completed') throw new Error('expected crossValidation.completed')
    expect(last.test?.['accuracy']?.values).toHaveLength(3)
    const log = readFileSync(join(folder, 'nested/folds/0/events.jsonl'), 'utf8').split('\n')
    const tested = log.filter((line) => line.includes('"evaluation.completed"') && line.includes('"split":"test"'))
    expect(tested).toHaveLength(1)
    const searchPaths = { folders: ['.'], registered: [nested] }
    const { scores } = await evaluateRun(join(folder, 'nested/folds/0'), { split: 'test', searchPaths })
    expect(scores['accuracy']!.value).toBe(last.test!['accuracy']!.values[0])
  })

  it('rejects a single fold, separate validation data and a missing directory before any run starts', async () => {
    const refused = (problem: RegExp) => ({ code: 'BAD_CONFIG', problem: expect.stringMatching(problem) })
    await expect(run(config('no', { protocol: 'holdout' }))).rejects.toMatchObject(refused(/at least 2 folds/))
    const validation = { use: 'jsonl', path: 'train.jsonl' }
    const data = { ...tinyConfig.data, validation }
    await expect(run(config('no', { data }))).rejects.toMatchObject(refused(/data.validation/))
    await expect(run(config('no', { directory: undefined }))).rejects.toMatchObject(refused(/directory/))
    expect(existsSync(join(folder, 'no'))).toBe(false)
  })
})
