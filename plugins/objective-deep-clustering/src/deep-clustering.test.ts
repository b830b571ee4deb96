import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type DataPass, type Model, type Objective, type OnDevice, type Params, key, stream } from '@attune/core'
import {
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  referenceEngine,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { sampleVectors } from '@attune/nn'
import { type Scalar, type Tensor, div, sum } from '@tensorflow/tfjs-core'
import { deepClustering } from './deep-clustering.js'
import { kMeans, lloyd, seedCentres } from './k-means.js'

const model: Model = { ...tinyModel(), heads: { contrastive: { architecture: 'TinyModel', tensors: {} } } }
const given = { model, tokenizer: tinyTokenizer() }

const examples = [
  { text: 'a short one', label: 'x' },
  { text: 'the quick brown fox', label: 'y' },
  { text: 'x', label: 'x' },
  { text: 'a much longer text than the model takes, truncated here', label: 'y' },
  { text: 'seven', label: 'x' },
  { text: 'lazy dogs sleep', label: 'z' },
]

describeObjective(deepClustering, {
  options: { clusters: 3 },
  given,
  references: [],
  examples,
  memory: { frequencies: floats([1, 2, 4]) },
})
describeObjective(deepClustering, {
  options: { clusters: 2, label: 'label', pooling: 'cls', normalize: true },
  given,
  references: ['label'],
  examples,
  memory: { frequencies: floats([3, 1]) },
})

type Matrix = number[][]
const array = (rows: Matrix) => floats(rows.flat(), [rows.length, rows[0]!.length])

describe('k-means', () => {
  const { source, cases } = JSON.parse(readFileSync('golden/k-means.json', 'utf8')) as {
    source: string
    cases: readonly { points: Matrix; start: Matrix; centres: Matrix; labels: number[]; inertia: number }[]
  }
  it.each(cases.map((each, i) => [i === 2 ? 'one empty cluster' : `${each.start.length} clusters`, each] as const))(
    `has the centres of ${source} from the same start: %s`,
    (_, { points, start, centres, labels, inertia }) => {
      const found = lloyd(points, start)
      expectClose({ centres: array(found.centres as Matrix) }, { centres: array(centres) }, 1e-5)
      expect([found.labels, found.inertia]).toEqual([labels, expect.closeTo(inertia, 5)])
    },
  )

  it('chooses distant points as initial centres, and finds separate groups', () => {
    const groups = [0, 10, 20].flatMap((at) => [0, 0.1, 0.2].map((x) => [at + x, at]))
    for (let seed = 0; seed < 20; seed++) {
      const near = seedCentres(groups, 3, stream(key(seed))).map((row) => Math.round(row[1]! / 10))
      expect([seed, [...near].sort()]).toEqual([seed, [0, 1, 2]])
    }
    const { centres, inertia } = kMeans(groups, 3, stream(key(1)))
    expect(centres.map(([x]) => x!.toFixed(1)).sort()).toEqual(['0.1', '10.1', '20.1'])
    expect(inertia).toBeCloseTo(0.06, 6)
  })

  it('has no empty cluster, even with equal points', () => {
    const { labels, centres } = lloyd([[1], [1], [1], [2]], [[1], [1], [9]])
    expect(centres.flat().every(Number.isFinite)).toBe(true)
    expect(labels).toHaveLength(4)
    expect(kMeans([[3], [3], [3]], 3, stream(key(1))).centres).toEqual([[3], [3], [3]])
  })
})

describe('sampleVectors', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  /** A pass over batches of numbers. */
  const passOver = (batches: readonly number[][]): DataPass => ({
    async fold(start, step) {
      let state = start({})
      for (const values of batches) {
        const { x } = engine.put({ x: floats(values, [values.length, 1]) })
        state = step(state, { outputs: () => x } as never)
      }
      return state
    },
    read: (tree) => engine.read(tree),
    release: (tree) => engine.release(tree),
  })
  const batches = [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]
  const sample = async (count: number, seed: number): Promise<number[]> =>
    (
      await sampleVectors(passOver(batches), { count, width: 1, seed }, ({ outputs }) => outputs() as never as Tensor)
    ).map(([value]) => value!)

  it('returns all vectors if there are few', async () =>
    expect((await sample(20, 1)).sort((a, b) => a - b)).toEqual(batches.flat()))

  it('returns each vector with the same probability otherwise', async () => {
    const counts = Array<number>(10).fill(0)
    for (let seed = 0; seed < 400; seed++) for (const value of new Set(await sample(3, seed))) counts[value]!++
    expect(counts.reduce((a, b) => a + b, 0)).toBe(1200)
    // Each count is binomial with mean 120 and standard deviation 9.2.
    for (const [value, count] of counts.entries()) expect([value, Math.abs(count - 120) < 37]).toEqual([value, true])
  })
})

describe('loss of DEC', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const golden = JSON.parse(readFileSync('golden/dec.json', 'utf8')) as {
    source: string
    frequencies: number[]
  } & Record<'vectors' | 'centres' | 'scores' | 'gradientOfVectors' | 'gradientOfCentres', Matrix> & {
      losses: number[]
    }

  it(`matches ${golden.source}, with the gradients of vectors and centres`, async () => {
    const objective = deepClustering({ clusters: 3, pooling: 'pooled' }, given) as Objective
    const frequencies = floats(golden.frequencies, [3])
    const inputs = { 'clusters.centres': array(golden.centres), vectors: array(golden.vectors) }
    const put = engine.put({ params: inputs, memory: { frequencies } }) as never as { params: Params; memory: never }
    const losses = (params: Params): Tensor => {
      const outputs = { pooled: params['vectors']! } as never
      const context = {
        params,
        mode: { training: false },
        hyper: { memory: put.memory },
        forward: () => outputs,
        models: {},
      }
      return objective.trainingLoss!(context as never, { inputs: {} } as never)['losses'] as Tensor
    }
    const mean = (params: Params): Scalar => div(sum(losses(params)), 6)
    const found = { losses: losses(put.params), gradients: gradientsOf(mean, put.params) }
    const expected = {
      losses: floats(golden.losses, [6]),
      gradients: { 'clusters.centres': array(golden.gradientOfCentres), vectors: array(golden.gradientOfVectors) },
    }
    expectClose(await engine.read(found), expected, 1e-5)
    const head = objective.head(put.params, { pooled: put.params['vectors']! } as never, { training: false }, {
      inputs: {},
    } as OnDevice<never>)
    const predictions = objective.predict(await engine.read(head), examples as never)
    for (const [i, { scores, cluster }] of predictions.entries()) {
      const row = golden.scores[i]!
      expect(Object.values(scores as object)).toEqual(row.map((score) => expect.closeTo(score, 5) as unknown))
      expect(cluster).toBe(String(row.indexOf(Math.max(...row))))
    }
  })
})
