import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Command } from '@attune/core'
import { type RunConfig, evaluateRun, openPredictor } from '@attune/trainer/node'
import { ReplaySubject, lastValueFrom, tap, toArray } from 'rxjs'
import type { SelfTrainingEvent } from '../events.js'
import { tinyConfig, tinyData } from '../tiny.test.fixture.js'
import { chooseConfident } from './choose-confident.js'
import { type SelfTrainOptions, selfTrain } from './self-train.js'

type Row = Readonly<Record<string, unknown>>

const folder = tinyData(120)
afterAll(() => rmSync(folder, { recursive: true }))
const rowsIn = (path: string): Row[] =>
  readFileSync(join(folder, path), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Row) // prettier-ignore
const write = (path: string, rows: readonly Row[]): void =>
  writeFileSync(join(folder, path), rows.map((row) => JSON.stringify(row)).join('\n'))
const all = rowsIn('train.jsonl')
write('few.jsonl', all.slice(0, 30))
write('validation.jsonl', all.slice(80))
// five rows are labelled ones, and one is not a text
write('unlabelled.jsonl', [
  ...all.slice(25, 80).map(({ text, package: name }) => ({ text, name })),
  { text: ['a list'] },
])

const source = (name: string) => ({ use: 'jsonl', path: `${name}.jsonl` })
const config = (directory: string, rest: object = {}): RunConfig =>
  ({
    ...tinyConfig,
    data: { train: source('few'), validation: source('validation') },
    training: { epochs: 8, batchSize: 8, learningRate: 0.06 },
    callback: { use: 'checkpoint', everySteps: 5 },
    directory,
    ...rest,
  }) as RunConfig
const begin = (given: RunConfig, options: Partial<SelfTrainOptions> = {}): Promise<SelfTrainingEvent[]> =>
  lastValueFrom(
    selfTrain(given, { unlabelled: source('unlabelled'), baseDirectory: folder, ...options }).pipe(toArray()),
  )
const SHORT = { training: { epochs: 1 } }
const student = config('', { training: { epochs: 2, batchSize: 8, learningRate: 0.06 } })
const whole = { student, rounds: 2, threshold: 0.6 }
const lastOf = (events: readonly SelfTrainingEvent[]) => {
  const last = events.at(-1)
  if (last?.type !== 'selfTraining.completed') throw new Error('expected selfTraining.completed')
  return last
}

describe('chooseConfident', () => {
  const predictions = [
    { label: 'a', probability: 0.99 },
    { label: 'a', probability: 0.9 },
    undefined,
    { label: 'a', probability: 0.95 },
    { label: 'a', probability: 0.5 },
    { label: 'b', probability: 0.6 },
    { label: 'b', probability: 0.7 },
  ]

  it('chooses all predictions of at least the threshold', () =>
    expect(chooseConfident(predictions, 0.9, false)).toEqual([true, true, false, true, false, false, false]))

  it('chooses the most probable half of each label if half of all reach the threshold', () =>
    expect(chooseConfident(predictions, 0.9, true)).toEqual([true, false, false, true, false, false, true]))

  it('chooses nothing if no prediction reaches the threshold', () =>
    expect(chooseConfident(predictions, 1, true)).not.toContain(true))
})

describe('selfTrain', () => {
  it('trains each round on the labelled rows and on confident predictions of the round before', async () => {
    const events = await begin(config('whole'), whole)
    const { scores, metric, best, because } = lastOf(events)
    expect([scores.length, metric, because]).toEqual([3, 'accuracy', 'finished'])
    expect(scores[best!]).toBe(Math.max(...scores))
    const predictor = await openPredictor(join(folder, 'whole/rounds/0'))
    const rows = rowsIn('unlabelled.jsonl').slice(5, -1)
    const answers = (await predictor.predict(rows)) as unknown as { label: string; scores: Record<string, number> }[]
    await predictor.close()
    const confident = rows
      .map((row, i) => ({ ...row, label: answers[i]!.label }))
      .filter(({ label }, i) => answers[i]!.scores[label]! >= 0.6)
    expect(confident.length).toBeGreaterThan(5)
    expect(confident.length).toBeLessThan(rows.length)
    expect(rowsIn('whole/train-1.jsonl')).toEqual([...rowsIn('few.jsonl'), ...confident])
    const assigned = events.find((event) => event.type === 'pseudoLabels.assigned')
    expect(assigned).toMatchObject({ round: 1, unlabelled: 51, rejected: 1 })
    expect(Object.values(assigned!.byLabel).reduce((a, b) => a + b, 0)).toBe(confident.length)
    const { training } = JSON.parse(readFileSync(join(folder, 'whole/rounds/1/config.json'), 'utf8')) as {
      training: { epochs: number }
    }
    expect(training.epochs).toBe(2)
    for (const [round, score] of scores.entries()) {
      const found = await evaluateRun(join(folder, 'whole/rounds', String(round)), { split: 'validation' })
      expect(found.scores['accuracy']!.value).toBe(score)
    }
  })

  it('continues a stopped one to the same scores, and adds rounds to a finished one', async () => {
    const commands = new ReplaySubject<Command>()
    const stop = (event: SelfTrainingEvent): void => {
      if (event.type === 'pseudoLabels.assigned') commands.next({ type: 'stop', because: 'enough' })
    }
    const options = { ...whole, unlabelled: source('unlabelled'), baseDirectory: folder, rounds: 1 }
    const stopped = selfTrain(config('stopped'), { ...options, commands }).pipe(tap(stop))
    expect(await lastValueFrom(stopped)).toMatchObject({ because: 'enough', best: 0 })
    const rest = await begin(config('stopped'), whole)
    const begun = rest.flatMap((event) => (event.type === 'round.started' ? [event.round] : []))
    expect(begun).toEqual([1, 2])
    expect(rest.filter(({ type }) => type === 'pseudoLabels.assigned')).toHaveLength(1) // those of round 1 are on disk
    const { scores } = lastOf(await begin(config('whole'), whole))
    expect(lastOf(rest).scores).toEqual(scores)
  })

  it('rejects a teacher that is confident of nothing, before it trains a student', async () => {
    await expect(begin(config('unsure', SHORT), { threshold: 1 })).rejects.toMatchObject({
      code: 'NOTHING_CONFIDENT',
      problem: expect.stringMatching(/expected a probability of at least 1 .*got at most 0\.\d+ /),
    })
    expect(existsSync(join(folder, 'unsure/rounds/1'))).toBe(false)
  })

  it('rejects other settings on resume, and configurations without validation data or a label', async () => {
    await expect(begin(config('whole'), { ...whole, threshold: 0.7 })).rejects.toMatchObject({ code: 'STUDY_CHANGED' })
    const unsplit = config('x', { data: { train: source('few') } })
    await expect(begin(unsplit)).rejects.toThrow(/expected `data\.validation`/)
    await expect(begin(config('x'), { rounds: 0 })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    await expect(begin(config('x'), { metric: 'fun' })).rejects.toMatchObject({ code: 'UNKNOWN_SCORE' })
    const same = { unlabelled: source('few') }
    await expect(begin(config('known', SHORT), same)).rejects.toMatchObject({ code: 'EMPTY_DATASET' })
  })
})
