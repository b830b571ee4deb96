import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Batch, type HostArray, type Objective, type OnDevice, type Params, key } from '@attune/core'
import {
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  referenceEngine,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { type Scalar, sum } from '@tensorflow/tfjs-core'
import { ordinalClassification } from './ordinal-classification.js'

const examples = [
  { text: 'fine', label: 3 },
  { text: 'it broke on the very first day', label: 1 },
  { text: 'it is a chair', label: '2' },
  { text: '', label: 2 },
  { text: 'the best that I have had', label: 10 },
  { text: 'no', label: 1 },
]
const grades = { 1: 'low', 2: 'middle', 3: 'high', 10: 'high' }

describeObjective(ordinalClassification, { examples })
describeObjective(ordinalClassification, {
  examples: examples.map(({ text, label }) => ({ a: text, b: 'same', grade: grades[label as 1] })),
  options: { text: 'a', pair: 'b', label: 'grade', labels: ['low', 'middle', 'high'], maximumLength: 12 },
  references: ['grade'],
})

interface Case {
  readonly classes: number
  readonly initialThresholds: number[]
  readonly pooled: number[]
  readonly weight: number[]
  readonly thresholds: number[]
  readonly labels: readonly number[]
  readonly logits: number[]
  readonly losses: number[]
  readonly predicted: readonly number[]
  readonly gradients: Readonly<Record<'pooled' | 'weight' | 'thresholds', number[]>>
}
const golden = JSON.parse(readFileSync('golden/coral.json', 'utf8')) as {
  source: string
  hidden: number
  cases: readonly Case[]
}

describe('objective ordinal-classification', () => {
  const engine = referenceEngine()
  const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it.each(golden.cases)(`agrees with ${golden.source} for $classes labels`, async (each) => {
    const labels = Array.from({ length: each.classes }, (_, i) => `grade ${i}`)
    const objective: Objective = ordinalClassification({ labels }, given)
    const items = each.labels.map((rank) => objective.encode({ text: 'x', label: labels[rank]! }))
    const rows = items.length
    const params = {
      pooled: floats(each.pooled, [rows, golden.hidden]),
      'classifier.weight': floats(each.weight, [1, golden.hidden]),
      'classifier.bias': floats([0], [1]),
      'ordinal.thresholds': floats(each.thresholds, [each.classes - 1]),
    }
    const headOf = (p: Params, batch: OnDevice<Batch>) =>
      objective.head(p, { pooled: p['pooled'] } as never, { training: false }, batch)
    const run = engine.compile((p: Params, batch: OnDevice<Batch>) => ({
      logits: headOf(p, batch),
      losses: objective.loss(headOf(p, batch), batch).losses,
      gradients: gradientsOf((q) => sum(objective.loss(headOf(q, batch), batch).losses) as Scalar, p),
    }))
    const found = await engine.read(run(engine.put(params), engine.put(objective.collate(items))))
    const gradients = found.gradients as unknown as Record<string, HostArray>
    expectClose(found.logits, floats(each.logits, [rows, each.classes - 1]), 1e-4)
    expectClose(found.losses, floats(each.losses), 1e-4)
    expectClose(gradients['pooled'], floats(each.gradients.pooled, [rows, golden.hidden]), 1e-4)
    expectClose(gradients['classifier.weight'], floats(each.gradients.weight, [1, golden.hidden]), 1e-4)
    expectClose(gradients['ordinal.thresholds'], floats(each.gradients.thresholds), 1e-4)
    const predictions = objective.predict(found.logits, items)
    expect(predictions.map(({ number }) => number)).toEqual(each.predicted)
    const start = await engine.read(engine.compile(() => objective.init(key(1)))())
    expectClose(start['ordinal.thresholds'], floats(each.initialThresholds), 1e-6)
  })

  it('returns probabilities of labels that sum to 1, also where the thresholds are not in order', () => {
    const objective = ordinalClassification({ labels: ['a', 'b', 'c'] }, given)
    const logits = {
      shape: [2, 2],
      dtype: 'float32',
      values: Float32Array.of(Math.log(3), -Math.log(3), 0, Math.log(3)),
    }
    const items = [1, 2].map(() => objective.encode({ text: 'x', label: 'b' }))
    expect(objective.predict(logits as never, items)).toEqual([
      {
        label: 'b',
        number: 1,
        scores: { a: expect.closeTo(0.25, 6), b: expect.closeTo(0.5, 6), c: expect.closeTo(0.25, 6) },
      },
      { label: 'b', number: 1, scores: { a: expect.closeTo(0.4, 6), b: 0, c: expect.closeTo(0.6, 6) } },
    ])
    expect(objective.reference(items[0]!)).toEqual({ label: 'b', number: 1, scores: { a: 0, b: 1, c: 0 } })
  })

  it('learns labels that are numbers in their order, and rejects others and a single label', async () => {
    const fit = async (...labels: unknown[]) => {
      async function* all() {
        for (const label of labels) yield await Promise.resolve({ label })
      }
      return (await ordinalClassification.fit!(ordinalClassification.options.parse({}), all)).labels
    }
    expect(await fit('10', 9, '-1')).toEqual(['-1', '9', '10'])
    await expect(fit('low', 'high')).rejects.toThrow(expect.objectContaining({ code: 'NO_LABELS' }))
    expect(() => ordinalClassification({ labels: ['a'] }, given)).toThrow(
      expect.objectContaining({ code: 'NO_LABELS' }),
    )
  })
})
