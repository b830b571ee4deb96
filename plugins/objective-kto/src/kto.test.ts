import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Example, HostArray, Objective, Params } from '@attune/core'
import { completionLogProbs } from '@attune/nn'
import { describeObjective, expectClose, floats, gradientsOf, referenceEngine } from '@attune/testkit'
import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
import { type Scalar, type Tensor, concat, mean, neg, sub } from '@tensorflow/tfjs-core'
import { kto, ktoLosses } from './kto.js'

const tokenizer = tinyTokenizer()
/** Completions of one length, so that the mismatched rows are as long as the others. */
const examples: readonly Example[] = [
  { prompt: 'a', completion: 'xyz', label: true },
  { prompt: 'b b', completion: 'uvw', label: false },
  { prompt: 'ccccc', completion: 'rst', label: 1 },
  { prompt: '', completion: 'opq', label: 'False' },
  { prompt: 'dd', completion: 'lmn', label: '1' },
  { prompt: 'eeee', completion: 'ijk', label: 0 },
]
const given = { model: tinyModel(), tokenizer }
describeObjective(kto, { given, examples, textsPerExample: 2 })

const code = (wanted: string) => expect.objectContaining({ code: wanted }) as never
type Array = { shape: number[]; values: number[] }
const rowsOf = ({ shape, values }: Array): number[][] =>
  Array.from({ length: shape[0]! }, (_, i) => [...values.slice(i * shape[1]!, (i + 1) * shape[1]!)])

describe('batches', () => {
  const objective = kto({ padToMultipleOf: 1 }, given) as Objective

  it('have each prompt with its completion, then with that of the row before', () => {
    const items = examples.slice(0, 3).map((example) => objective.encode(example))
    const { inputs, weights, signs } = objective.collate(items) as never as {
      inputs: { inputIds: Array }
      weights: Array
      signs: Array
    }
    const texts = rowsOf(inputs.inputIds).map((ids) => ids.map((id) => (id === 0 ? '' : tokenizer.token(id))).join(''))
    expect(texts).toEqual(
      ['axyz', 'b buvw', 'cccccrst', 'arst', 'b bxyz', 'cccccuvw'].map((text) => `[begin]${text}[end]`),
    )
    expect(rowsOf(weights).map((row) => row.reduce((sum, weight) => sum + weight, 0))).toEqual([4, 4, 4, 4, 4, 4])
    expect([...signs.values]).toEqual([1, -1, 1, 0, 0, 0])
  })

  it('are never split into micro-batches', () => expect(objective.comparesExamples).toBe(true))

  it.each([null, 2, 'maybe', undefined])('refuse the label %j', (label) => {
    expect(() => objective.encode({ prompt: 'a', completion: 'b', label })).toThrow(code('MISSING_FIELD'))
  })
})

type Golden = {
  readonly source: string
  readonly labels: readonly number[]
  readonly cases: readonly {
    divergence: string
    options: { beta: number; desirableWeight: number; undesirableWeight: number }
    mismatchedReference: Array
    loss: number
    gradient: Array
  }[]
} & Readonly<Record<'logProbs' | 'reference' | 'mask' | 'mismatched' | 'mismatchedMask', Array>>
const golden = JSON.parse(readFileSync('golden/losses.json', 'utf8')) as Golden
const array = ({ shape, values }: Array): HostArray => floats(values, shape)

describe(`losses of ${golden.source}`, () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it.each(golden.cases)('match with their gradient: $options, divergence $divergence', async (each) => {
    const { reference, mask, mismatched, mismatchedMask } = golden
    const arrays = { reference, mask, mismatched, mismatchedMask, other: each.mismatchedReference }
    const fixed = engine.put({
      ...Object.fromEntries(Object.entries(arrays).map(([name, stored]) => [name, array(stored)])),
      signs: floats([...golden.labels.map((label) => 2 * label - 1), 0, 0, 0, 0, 0, 0], [12]),
    }) as Record<string, Tensor>
    const value =
      (of: Record<string, Tensor>) =>
      ({ logProbs }: Params): Scalar => {
        const scored = (now: Tensor, before: Tensor, weights: Tensor) =>
          sub(completionLogProbs(neg(now), weights), completionLogProbs(neg(before), weights))
        const own = scored(logProbs!, of['reference']!, of['mask']!)
        const others = scored(of['mismatched']!, of['other']!, of['mismatchedMask']!)
        return mean(ktoLosses(concat([own, others]), of['signs']!, each.options as never).losses)
      }
    const both = engine.compile((p: Params, of: Record<string, Tensor>) => ({
      loss: value(of)(p),
      gradient: gradientsOf(value(of), p)['logProbs']!,
    }))
    const logs = engine.put({ logProbs: array(golden.logProbs) }) as Params
    const expected = { loss: floats([each.loss], []), gradient: array(each.gradient) }
    expectClose(await engine.read(both(logs, fixed)), expected, 1e-6)
  })
})

it('predicts the reward, and desirable where it is positive', () => {
  const objective = kto({ beta: 0.5 }, given) as Objective
  const items = examples.slice(0, 2).map((example) => objective.encode(example))
  expect(objective.predict({ scores: floats([2, -1, 9, 9], [4]) } as never, items)).toEqual([
    { label: 'desirable', reward: 1 },
    { label: 'undesirable', reward: -0.5 },
  ])
})
