import type { Objective, Params, TrainingContext } from '@attune/core'
import {
  type PointOf,
  chosenPlugin,
  describeObjective,
  floats,
  gradientsOf,
  referenceEngine,
  targetAccuracy,
  tinyClassification,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Scalar, type Tensor, mean } from '@tensorflow/tfjs-core'
import { domainAdversarial } from './domain-adversarial.js'

const task = chosenPlugin(tinyClassification) as never
const examples = [
  { text: 'fine', label: 'good', domain: 'books' },
  { text: 'it broke on the very first day', label: 'bad', domain: 'books' },
  { text: 'it is a chair', label: 'neither', domain: 'books' },
  { text: 'the best of all', label: 'good', domain: 'books' },
  { text: '', label: 'neither', domain: 'films' },
  { text: 'no', domain: 'films' },
]
describeObjective(domainAdversarial, {
  options: { task, source: 'books', hiddenSize: 4 },
  references: ['label', 'domain'],
  examples,
})

describe('domain-adversarial training', () => {
  /** The second coordinate separates the classes in the source only: in the target it is shifted. */
  const shifted: PointOf = (domain, side, normal) => [
    side + 0.5 * normal(),
    side + 0.5 * normal() + (domain === 'source' ? 0 : 3),
  ]

  it('raises the accuracy on a target whose second coordinate is shifted', async () => {
    const [without, adapted] = [
      await targetAccuracy(domainAdversarial, { strength: 0, hiddenSize: 16 }, shifted, 150),
      await targetAccuracy(domainAdversarial, { strength: 1, hiddenSize: 16 }, shifted, 150),
    ]
    expect([without < 0.6, adapted > 0.9, without, adapted]).toEqual([true, true, without, adapted])
  })

  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it.each([0, 2 / (1 + Math.exp(-5)) - 1, 1])('multiplies the gradient of the model by −λ: %d', async (factor) => {
    const model = { ...tinyModel(), hiddenSize: 2 }
    const options = { task, hiddenSize: 3, strength: factor }
    const objective = domainAdversarial(options, { model, tokenizer: tinyTokenizer() }) as Objective
    const head = engine.put({
      'domain.dense.weight': floats([1, 0.5, -1, 2, 0.3, 0.7], [3, 2]),
      'domain.dense.bias': floats([0.1, 0.2, 0.3], [3]),
      'domain.out.weight': floats([1, -2, 0.5], [1, 3]),
      'domain.out.bias': floats([0.2], [1]),
      'classifier.weight': floats([0, 0, 0, 0], [2, 2]),
      'classifier.bias': floats([0, 0], [2]),
    }) as Params
    const batch = engine.put({
      isSource: floats([1, 0], [2]),
      isLabelled: floats([1, 0], [2]),
      labels: { shape: [2], dtype: 'int32' as const, values: Int32Array.of(1, -1) },
    })
    const domainLoss = (p: Params): Scalar => {
      const context = { params: p, mode: { training: false }, forward: () => ({ pooled: p['x'] }) }
      const given = { inputs: {}, ...batch }
      const losses = objective.trainingLoss!(context as unknown as TrainingContext, given)
      const { domain } = losses as unknown as Record<'domain', { losses: Tensor }>
      return mean(domain.losses)
    }
    const vectors = engine.put({ x: floats([0.5, 1, -0.3, 0.8], [2, 2]) }) as Params
    const read = async (p: Params) =>
      (await engine.read(gradientsOf(domainLoss, p))) as Record<string, { values: Float32Array }>
    const [found, value] = [
      await read({ ...head, ...vectors }),
      (x: Params) => domainLoss({ ...head, ...x }).dataSync()[0]!,
    ]
    const at = (by: number, i: number): Params =>
      engine.put({
        x: floats(
          [0.5, 1, -0.3, 0.8].map((each, j) => each + (i === j ? by : 0)),
          [2, 2],
        ),
      }) as Params
    for (const i of [0, 1, 2, 3]) {
      const slope = (value(at(0.01, i)) - value(at(-0.01, i))) / 0.02
      expect(found['x']!.values[i]).toBeCloseTo(-factor * slope, 3)
    }
    // The domain classifier itself descends, with full strength at every step.
    expect(Math.abs(found['domain.out.bias']!.values[0]!)).toBeGreaterThan(0.01)
  })

  it('trains on the labels of the source only, and evaluates on all of them', () => {
    const options = {
      task: chosenPlugin(tinyClassification, { labels: ['bad', 'good', 'neither'] }) as never,
      source: 'books',
    }
    const objective = domainAdversarial(options, { model: tinyModel(), tokenizer: tinyTokenizer() }) as Objective
    const items = examples.map((each) => objective.encode(each))
    const labelled = (random?: () => number) => [
      ...(objective.collate(items, random)['isLabelled'] as { values: Float32Array }).values,
    ]
    expect(labelled()).toEqual([1, 1, 1, 1, 1, 0])
    expect(labelled(() => 0)).toEqual([1, 1, 1, 1, 0, 0])
  })

  it('rejects a task with several rows per example', () => {
    const objective = domainAdversarial({ task }, { model: tinyModel(), tokenizer: tinyTokenizer() }) as Objective
    const context = { forward: () => ({ pooled: engine.put(floats([1, 2], [2, 1])) }) }
    const batch = { inputs: {}, isSource: engine.put(floats([1], [1])) }
    expect(() => objective.trainingLoss!(context as never, batch as never)).toThrow(
      expect.objectContaining({ code: 'ROWS_MISMATCH' }),
    )
  })
})
