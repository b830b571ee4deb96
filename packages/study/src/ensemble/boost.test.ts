import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Command } from '@attune/core'
import { type RunConfig, evaluateRun, openPredictor } from '@attune/trainer/node'
import { ReplaySubject, lastValueFrom, tap, toArray } from 'rxjs'
import type { EnsembleEvent } from '../events.js'
import { tinyConfig, tinyData } from '../tiny.test.fixture.js'
import { boost } from './boost.js'
import { sammeRound } from './samme.js'
import type { MembersOptions } from './train-members.js'

interface Case {
  readonly classes: number
  readonly labels: readonly number[]
  readonly predictions: readonly (readonly number[])[]
  readonly sampleWeights: readonly (readonly number[])[]
  readonly errors: readonly number[]
  readonly weights: readonly number[]
  readonly decision: readonly (number | readonly number[])[]
  readonly predicted: readonly number[]
}
const golden = JSON.parse(readFileSync('golden/boosting.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly Case[]
}

describe(`sammeRound, as AdaBoostClassifier of ${golden.source}`, () => {
  it.each(golden.cases.map((each) => [each.predictions.length, each.classes, each] as const))(
    'returns the errors, the weights and the votes of %i members for %i classes',
    (count, classes, { labels, predictions, sampleWeights, errors, weights, decision, predicted }) => {
      let rows: readonly number[] = labels.map(() => 2) // any sum
      for (const [m, own] of predictions.entries()) {
        const found = sammeRound(rows, own.map((label, i) => label !== labels[i]), classes) // prettier-ignore
        expect(found.error).toBeCloseTo(errors[m]!, 12)
        expect(found.weight).toBeCloseTo(weights[m]!, 12)
        if (m + 1 < count)
          for (const [i, weight] of found.sampleWeights.entries())
            expect(weight).toBeCloseTo(sampleWeights[m + 1]![i]!, 12)
        rows = found.sampleWeights
      }
      const total = weights.reduce((a, b) => a + b, 0)
      for (const i of labels.keys()) {
        const votes = Array.from({ length: classes }, (_, k) =>
          predictions.reduce((sum, own, m) => sum + (own[i] === k ? weights[m]! / total : 0), 0),
        )
        const scores = votes.map((vote) => vote - (1 - vote) / (classes - 1))
        const expected = [decision[i]!].flat()
        for (const [k, value] of (classes === 2 ? [scores[1]! - scores[0]!] : scores).entries())
          expect(value).toBeCloseTo(expected[k]!, 12)
        expect(votes.indexOf(Math.max(...votes))).toBe(predicted[i])
      }
    },
  )

  it('returns weight 0 and the same sample weights for a member that is not better than chance', () => {
    const isWrong = [true, true, true, false]
    const sampleWeights = isWrong.map(() => 1 / 4)
    expect(sammeRound([1, 1, 1, 1], isWrong, 3)).toEqual({ error: 3 / 4, weight: 0, sampleWeights })
  })
})

const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))
const at = (...names: string[]): string => join(folder, ...names)
type Row = Readonly<Record<string, unknown>>
const rowsIn = (path: string): Row[] =>
  readFileSync(at(path), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Row) // prettier-ignore
const all = rowsIn('train.jsonl')
const write = (name: string, rows: readonly Row[]): void =>
  writeFileSync(at(name), rows.map((row) => JSON.stringify(row)).join('\n'))
write('validation.jsonl', all.slice(40))
write('train.jsonl', [...all.slice(0, 39), all[0]!]) // the last is a duplicate
const LABELS = ['admin', 'games']

const source = (name: string) => ({ use: 'jsonl', path: `${name}.jsonl` })
const config = (directory: string, rest: object = {}): RunConfig =>
  ({
    ...tinyConfig,
    data: { train: source('train'), validation: source('validation') },
    objective: { use: 'sequence-classification', maximumLength: 16, labels: LABELS },
    training: { epochs: 2, batchSize: 8, learningRate: 0.01 },
    filter: 'duplicates',
    directory,
    ...rest,
  }) as RunConfig
const begin = (given: RunConfig, options: MembersOptions = {}): Promise<EnsembleEvent[]> =>
  lastValueFrom(boost(given, { baseDirectory: folder, members: 3, ...options }).pipe(toArray()))
const membersOf = (events: readonly EnsembleEvent[]) =>
  events.flatMap((event) => (event.type === 'member.completed' ? [event] : []))
const labelsBy = async (path: string, rows: readonly Row[]): Promise<unknown[]> => {
  const predictor = await openPredictor(path)
  const answers = (await predictor.predict(rows)) as unknown as readonly { label: string }[]
  await predictor.close()
  return answers.map(({ label }) => label)
}

describe('boost', () => {
  it('weights the rows that the member before misclassified, and votes by the weights of the members', async () => {
    const events = await begin(config('whole'))
    const members = membersOf(events)
    expect(members).toHaveLength(3)
    expect(events.at(-1)).toMatchObject({ because: 'finished', members: 3, ensemble: at('whole/ensemble') })
    let before: readonly number[] = new Array<number>(39).fill(1)
    for (const { member, error, weight } of members) {
      const rows = rowsIn(`whole/train-${member}.jsonl`).slice(0, 39)
      for (const [i, row] of rows.entries()) expect(row['boostingWeight']).toBeCloseTo(before[i]!, 10)
      const own = await labelsBy(at('whole/members', String(member)), rows)
      const found = sammeRound(before, own.map((label, i) => label !== rows[i]!['label']), 2) // prettier-ignore
      expect([error, weight]).toEqual([expect.closeTo(found.error, 10), expect.closeTo(found.weight, 10)])
      before = found.sampleWeights.map((each) => each * 39)
    }
    const votes = await Promise.all(members.map(({ member }) => labelsBy(at('whole/members', String(member)), all)))
    const expected = all.map((_, i) => {
      const sum = members.reduce((total, { weight }, m) => total + (votes[m]![i] === 'games' ? weight! : -weight!), 0)
      return sum > 0 ? 'games' : 'admin'
    })
    expect(await labelsBy(at('whole/ensemble'), all)).toEqual(expected)
    const { scores } = await evaluateRun(at('whole/ensemble'), { split: 'validation' })
    const right = all.slice(40).filter(({ label }, i) => label === expected[40 + i]).length
    expect(scores['accuracy']!.value).toBeCloseTo(right / 20, 10)
  })

  it('continues a stopped one without training finished members again, to the same members', async () => {
    const commands = new ReplaySubject<Command>()
    const stop = (event: EnsembleEvent): void => {
      if (event.type === 'member.started' && event.member === 1) commands.next({ type: 'stop', because: 'enough' })
    }
    const options = { baseDirectory: folder, members: 3, commands }
    const stopped = await lastValueFrom(boost(config('stopped'), options).pipe(tap(stop)))
    expect(stopped).toMatchObject({ because: 'enough', members: 1 })
    const finished = statSync(at('stopped/members/0/model/model.safetensors')).mtimeMs
    const rest = await begin(config('stopped'))
    expect(membersOf(rest).map(({ member }) => member)).toEqual([1, 2])
    expect(statSync(at('stopped/members/0/model/model.safetensors')).mtimeMs).toBe(finished)
    expect(rowsIn('stopped/train-3.jsonl')).toEqual(rowsIn('whole/train-3.jsonl'))
  })

  it('ends after a member without errors', async () => {
    const training = { epochs: 40, batchSize: 8, learningRate: 0.1 }
    const events = await begin(config('strong', { training }))
    expect(events.at(-1)).toMatchObject({ because: 'member 0 makes no error on its training rows', members: 1 })
    expect(events.at(-1)).not.toHaveProperty('ensemble')
    expect((await begin(config('strong', { training }))).map(({ type }) => type)).toEqual(['ensemble.completed'])
  })
})
