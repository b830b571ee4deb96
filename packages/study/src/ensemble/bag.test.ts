import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Command } from '@attune/core'
import { type RunConfig, openPredictor, prepareData } from '@attune/trainer/node'
import { ReplaySubject, lastValueFrom, tap, toArray } from 'rxjs'
import type { EnsembleEvent } from '../events.js'
import { tinyConfig, tinyData } from '../tiny.test.fixture.js'
import { bag } from './bag.js'
import type { MembersOptions } from './train-members.js'

interface Row {
  readonly text: string
  readonly label: string
}

const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (...names: string[]): string => join(folder, ...names)
const lines = readFileSync(at('train.jsonl'), 'utf8').trim().split('\n')
writeFileSync(at('validation.jsonl'), lines.slice(40).join('\n'))
writeFileSync(at('train.jsonl'), lines.slice(0, 40).join('\n'))
const ROWS = lines.slice(0, 40).map((line) => JSON.parse(line) as Row)

const source = (name: string) => ({ use: 'jsonl', path: `${name}.jsonl` })
const config = (directory: string, rest: object = {}): RunConfig =>
  ({
    ...tinyConfig,
    data: { train: source('train'), validation: source('validation') },
    objective: { use: 'sequence-classification', maximumLength: 16, labels: ['admin', 'games'] },
    training: { epochs: 3, batchSize: 8, learningRate: 0.06 },
    callback: { use: 'checkpoint', everySteps: 5 },
    directory,
    ...rest,
  }) as RunConfig
const begin = (given: RunConfig, options: MembersOptions = {}): Promise<EnsembleEvent[]> =>
  lastValueFrom(bag(given, { baseDirectory: folder, members: 3, ...options }).pipe(toArray()))
const lastOf = (events: readonly EnsembleEvent[]) => {
  const last = events.at(-1)
  if (last?.type !== 'ensemble.completed') throw new Error('expected ensemble.completed')
  return last
}
const startsOf = (events: readonly EnsembleEvent[]) =>
  events.flatMap((event) => (event.type === 'member.started' ? [[event.member, event.step > 0]] : []))

/** Probability of the second label for each training row, by a run or an ensemble. */
async function predict(path: string): Promise<number[]> {
  const predictor = await openPredictor(path)
  const answers = await predictor.predict(ROWS as never)
  await predictor.close()
  return (answers as unknown as readonly { scores: Record<string, number> }[]).map(({ scores }) => scores['games']!)
}

/** Rows that a member was trained on, from the file of its prepared data. */
async function trainedOn(member: number): Promise<Set<number>> {
  const own = config('x', { seed: 3 + member, balancer: { use: 'bootstrap', by: 'label' } })
  const stages = await prepareData(own, { baseDirectory: folder, dataFolder: at('prepared') })
  const stored = readFileSync(stages.at(-1)!.path!, 'utf8').trim().split('\n')
  return new Set(stored.map((line) => (JSON.parse(line) as { readonly index: number }).index))
}

let whole: ReturnType<typeof lastOf>
beforeAll(async () => {
  whole = lastOf(await begin(config('whole')))
})

describe('bag', () => {
  it('averages members on bootstrap samples, and scores each row by the members that did not see it', async () => {
    const { ensemble, outOfBag, members, because } = whole
    expect([ensemble, members, because]).toEqual([at('whole/ensemble'), 3, 'finished'])
    const each = await Promise.all([0, 1, 2].map((member) => predict(at('whole/members', String(member)))))
    for (const [i, found] of (await predict(at('whole/ensemble'))).entries())
      expect(found).toBeCloseTo((each[0]![i]! + each[1]![i]! + each[2]![i]!) / 3, 6)

    const seen: Set<number>[] = []
    for (const member of [0, 1, 2]) seen.push(await trainedOn(member))
    const means = ROWS.map((_, i) => each.filter((_, m) => !seen[m]!.has(i)).map((row) => row[i]!))
    const known = [...means.keys()].filter((i) => means[i]!.length > 0)
    expect(known.length).toBeLessThan(40)
    const games = known.map((i) => means[i]!.reduce((a, b) => a + b, 0) / means[i]!.length)
    const right = known.filter((i, k) => (games[k]! > 0.5 ? 'games' : 'admin') === ROWS[i]!.label).length
    const losses = known.map((i, k) => -Math.log(ROWS[i]!.label === 'games' ? games[k]! : 1 - games[k]!))
    expect(outOfBag).toEqual({
      examples: known.length,
      rows: 40,
      scores: {
        loss: expect.closeTo(losses.reduce((a, b) => a + b, 0) / known.length, 5),
        accuracy: expect.closeTo(right / known.length, 10),
      },
    })
  })

  it('continues a stopped one without training finished members again, and adds members to a finished one', async () => {
    const commands = new ReplaySubject<Command>()
    const stop = (event: EnsembleEvent): void => {
      if (event.type === 'member.progressed' && event.member === 1) commands.next({ type: 'stop', because: 'enough' })
    }
    const options = { baseDirectory: folder, members: 2, commands }
    const stopped = await lastValueFrom(bag(config('stopped'), options).pipe(tap(stop)))
    expect(stopped).toMatchObject({ because: 'enough', members: 1 })
    expect(stopped).not.toHaveProperty('ensemble')
    const finished = statSync(at('stopped/members/0/model/model.safetensors')).mtimeMs
    expect(startsOf(await begin(config('stopped'), { members: 2 }))).toEqual([[1, true]])
    expect(readdirSync(at('stopped/ensemble/members'))).toEqual(['0', '1'])
    const rest = await begin(config('stopped'))
    expect(startsOf(rest)).toEqual([[2, false]])
    expect(statSync(at('stopped/members/0/model/model.safetensors')).mtimeMs).toBe(finished)
    expect(lastOf(rest).outOfBag).toEqual(whole.outOfBag)
  })

  it('rejects one member, no validation data, an objective without a label, and other settings on resume', async () => {
    await expect(begin(config('x'), { members: 1 })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    await expect(begin(config('x', { data: { train: source('train') } }))).rejects.toThrow(
      /expected `data\.validation`/,
    )
    const unlabelled = config('x', { objective: 'masked-language-modeling', model: 'bert' })
    await expect(begin(unlabelled)).rejects.toMatchObject({ code: 'NOT_A_CLASSIFIER' })
    await expect(begin(config('whole', { seed: 4 }))).rejects.toMatchObject({ code: 'STUDY_CHANGED' })
  })
})
