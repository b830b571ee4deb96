import { readFileSync } from 'node:fs'
import type { Objective, Params, TrainingContext } from '@attune/core'
import {
  type PointOf,
  chosenPlugin,
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  referenceEngine,
  targetAccuracy,
  tinyClassification,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Scalar, type Tensor, div, mean, sum, mul } from '@tensorflow/tfjs-core'
import { domainAlignment } from './domain-alignment.js'

const task = chosenPlugin(tinyClassification) as never

describeObjective(domainAlignment, {
  options: { task, source: 'books' },
  references: ['label', 'domain'],
  examples: [
    { text: 'fine', label: 'good', domain: 'books' },
    { text: 'it broke on the very first day', label: 'bad', domain: 'books' },
    { text: 'it is a chair', label: 'neither', domain: 'books' },
    { text: 'the best of all', label: 'good', domain: 'books' },
    { text: '', label: 'neither', domain: 'films' },
    { text: 'no', domain: 'films' },
  ],
})

interface Array {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}
const golden = JSON.parse(readFileSync('golden/torch-domains.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly {
    readonly options: { readonly distance: 'mmd' | 'coral'; readonly bandwidths: number[] }
    readonly vectors: Array
    readonly isSource: Array
    readonly expected: number
    readonly gradient: Array
  }[]
}
const host = ({ values, shape }: Array) => floats(values, shape)

describe('distances of domains', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const model = { ...tinyModel(), hiddenSize: 3 }
  const losses = (options: object, pooled: Tensor, isSource: Tensor) => {
    const objective = domainAlignment({ task, ...options }, { model, tokenizer: tinyTokenizer() }) as Objective
    const params = engine.put({
      'classifier.weight': floats([0, 0, 0, 0, 0, 0], [2, 3]),
      'classifier.bias': floats([0, 0], [2]),
    })
    const context = { params, mode: { training: false }, forward: () => ({ pooled }) }
    const labels = engine.put({ shape: isSource.shape, dtype: 'int32', values: new Int32Array(isSource.size) } as never)
    const batch = { inputs: {}, isSource, isLabelled: isSource, labels }
    return objective.trainingLoss!(context as unknown as TrainingContext, batch as never) as Record<
      'distance' | 'task',
      { losses: Tensor; weights: Tensor }
    >
  }

  it.each(golden.cases)(`agree with ${golden.source}: $options`, async ({ options, vectors, isSource, ...at }) => {
    const domains = engine.put(host(isSource)) as Tensor
    const distance = (p: Params): Scalar => mean(losses(options, p['x']!, domains).distance.losses)
    const given = engine.put({ x: host(vectors) }) as Params
    const found = await engine.read({ loss: distance(given), gradient: gradientsOf(distance, given)['x']! })
    expectClose(found, { loss: floats([at.expected], []), gradient: host(at.gradient) }, 1e-6)
  })

  it.each(['mmd', 'coral'])(
    'of a batch of one domain are 0, and the loss of a batch without labels too: %s',
    (distance) => {
      const pooled = engine.put(floats([1, 2, 3, 4, 5, 7], [2, 3])) as Tensor
      for (const isSource of [0, 1]) {
        const found = losses({ distance }, pooled, engine.put(floats([isSource, isSource], [2])) as Tensor)
        expect([...found.distance.losses.dataSync()]).toEqual([0, 0])
        const { losses: own, weights } = found.task
        const value = div(sum(mul(own, weights)), sum(weights)).dataSync()[0]!
        expect(value).toBeCloseTo(isSource === 0 ? 0 : Math.log(2), 6)
      }
    },
  )
})

describe('domain alignment', () => {
  /** The second coordinate separates the classes in the source only: in the target it is shifted. */
  const shifted: PointOf = (domain, side, normal) => [
    side + 0.5 * normal(),
    side + 0.5 * normal() + (domain === 'source' ? 0 : 3),
  ]
  /** The second coordinate is noise of a larger variance in the target: the means agree, the covariances do not. */
  const noisy: PointOf = (domain, side, normal) => [
    side + 0.3 * normal(),
    domain === 'source' ? side + 0.5 * normal() : 4 * normal(),
  ]

  it.each([
    ['mmd', 5, 60, shifted],
    ['coral', 0.3, 150, noisy],
  ] as const)('raises the accuracy on the target: %s', async (distance, strength, steps, points) => {
    const [without, aligned] = [
      await targetAccuracy(domainAlignment, { distance, strength: 0 }, points, steps),
      await targetAccuracy(domainAlignment, { distance, strength }, points, steps),
    ]
    expect([without < 0.7, aligned > 0.8, without, aligned]).toEqual([true, true, without, aligned])
  })
})
