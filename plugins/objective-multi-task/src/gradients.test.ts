import { readFileSync } from 'node:fs'
import {
  type Batch,
  type HostTree,
  type Hyper,
  type Objective,
  type Params,
  type TrainingContext,
  mapParams,
} from '@attune/core'
import {
  chosenPlugin,
  expectClose,
  floats,
  gradientsOf,
  integers,
  referenceEngine,
  tinyClassification,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { linear, reduceLosses } from '@attune/nn'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Scalar, type Tensor, div, mul, sub, tanh } from '@tensorflow/tfjs-core'
import { multiTask } from './multi-task.js'

interface Stored {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}
interface Network {
  readonly params: Readonly<Record<string, Stored>>
  readonly batch: Readonly<Record<string, { readonly x: Stored; readonly labels: Stored }>>
}
const golden = JSON.parse(readFileSync('golden/torch-multi-task.json', 'utf8')) as {
  readonly pcgrad: readonly (Network & { readonly loss: number; readonly gradients: Record<string, Stored> })[]
  readonly gradnorm: readonly (Network & {
    readonly alpha: number
    readonly rate: number
    readonly initial: readonly number[]
    readonly trace: readonly { readonly weights: number[]; readonly losses: number[] }[]
    readonly weights: readonly number[]
  })[]
}
const host = ({ values, shape }: Stored) => floats(values, shape)
const hostParams = (params: Readonly<Record<string, Stored>>) =>
  Object.fromEntries(Object.entries(params).map(([name, each]) => [name, host(each)]))

/** A model whose pooled output is a hidden layer of the given vectors; nothing reads its last layer. */
const model = {
  ...tinyModel(),
  hiddenSize: 2,
  layers: [
    { name: 'embeddings', prefixes: ['embeddings.'] },
    { name: 'layer 0', prefixes: ['shared.'] },
    { name: 'pooler', prefixes: ['pooler.'] },
  ],
}

/** A joint batch of the vectors of all tasks. */
function jointBatch(batch: Network['batch']): Batch {
  let first = 0
  const parts = Object.entries(batch).map(([name, { x, labels }]) => {
    const positions = labels.values.map(() => first++)
    return { name, x: host(x), labels: integers(labels.values), positions: integers(positions) }
  })
  const byTask = (valueOf: (part: (typeof parts)[number]) => HostTree) =>
    Object.fromEntries(parts.map((part) => [part.name, valueOf(part)]))
  return {
    ...Object.fromEntries(parts.map(({ name, labels }) => [`task.${name}.`, { labels }])),
    inputs: byTask(({ x }) => ({ x })),
    positions: byTask(({ positions }) => positions),
  } as Batch
}

describe('gradients and weights of tasks', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  /** The mean training loss of a joint batch as a function of the parameters. */
  function lossOf(
    { batch }: Network,
    options: object,
    memory: HostTree = {},
    more: Readonly<Record<string, HostTree>> = {},
  ) {
    const task = chosenPlugin(tinyClassification, { labels: ['no', 'yes'] })
    const tasks = Object.fromEntries(Object.keys(batch).map((name) => [name, task])) as never
    const objective = multiTask(
      { tasks, batches: 'joint', ...options },
      { model, tokenizer: tinyTokenizer() },
    ) as Objective
    const [onDevice, hyper] = [
      engine.put({ ...jointBatch(batch), ...more }),
      engine.put({ memory }) as unknown as Hyper,
    ]
    return (params: Params): Scalar => {
      const forward = ({ x }: { x: Tensor }) => ({ pooled: tanh(linear(params, 'shared.dense', x)) })
      const context = { params, trainable: params, hyper, mode: { training: false }, forward, models: {} }
      const losses = objective.trainingLoss!(context as unknown as TrainingContext, onDevice)
      const { sum, weight } = reduceLosses(losses, onDevice)
      return div(sum, weight)
    }
  }

  it.each(golden.pcgrad.map((each) => [Object.keys(each.batch).length, each] as const))(
    'are projected for the shared parameters of %i tasks, and kept for those of a task, with gradients: pcgrad',
    async (_, network) => {
      const params = engine.put(hostParams(network.params)) as Params
      const loss = lossOf(network, { gradients: 'pcgrad' })
      expect((await loss(params).data())[0]).toBeCloseTo(network.loss, 5)
      const found = await engine.read(gradientsOf(loss, params))
      expectClose(found, hostParams(network.gradients), 1e-5)
      const plain = (await engine.read(gradientsOf(lossOf(network, {}), params))) as Record<
        string,
        { values: Float32Array }
      >
      expect([...plain['shared.dense.weight']!.values]).not.toEqual(network.gradients['shared.dense.weight']!.values)
    },
  )

  it.each(golden.gradnorm.map((each) => [Object.keys(each.batch).length, each] as const))(
    'follow equations 1 and 2 of GradNorm over six steps of gradient descent with %i tasks',
    async (_, network) => {
      const names = Object.keys(network.batch)
      const memory = Object.fromEntries(
        names.map((name, i) => [name, { sum: floats([network.initial[i]! * 2], []), weight: floats([2], []) }]),
      )
      const loss = lossOf(network, { weighting: 'gradnorm', asymmetry: network.alpha }, memory)
      const weightNames = names.map((name) => `task.${name}.gradnorm_weight`)
      const added = Object.fromEntries(weightNames.map((name) => [name, floats([1], [])]))
      const unread = { 'pooler.weight': floats([1, 2], [2]) }
      let params = engine.put({ ...hostParams(network.params), ...added, ...unread }) as Params
      const weightsNow = async (): Promise<number[]> => {
        const raw = await Promise.all(weightNames.map(async (name) => (await params[name]!.data())[0]!))
        return raw.map((each) => (each * raw.length) / raw.reduce((a, b) => a + b))
      }
      for (const { weights, losses } of network.trace) {
        const found = await weightsNow()
        found.forEach((each, i) => expect(each).toBeCloseTo(weights[i]!, 5))
        const expected = losses.reduce((sum, each, i) => sum + each * weights[i]!, 0)
        expect((await loss(params).data())[0]).toBeCloseTo(expected, 5)
        params = mapParams((p, g) => sub(p, mul(g, network.rate)), params, gradientsOf(loss, params))
      }
      const found = await weightsNow()
      found.forEach((each, i) => expect(each).toBeCloseTo(network.weights[i]!, 5))
    },
  )

  it.each([{}, { gradients: 'pcgrad' }])(
    'count rows by their example weights with %j: a row of weight 0 is absent',
    async (options) => {
      const [network] = golden.pcgrad as [(typeof golden.pcgrad)[0]]
      const params = engine.put(hostParams(network.params)) as Params
      const kept = (name: string, rows: number): (typeof network.batch)[string] => {
        const { x, labels } = network.batch[name]!
        return {
          x: { shape: [rows, 2], values: x.values.slice(0, rows * 2) },
          labels: { shape: [rows], values: labels.values.slice(0, rows) },
        }
      }
      const part = { ...network, batch: { a: kept('a', 1), b: kept('b', 2) } }
      const exampleWeights = floats([1, 0, 0, 1, 1, 0, 0]) // three rows of a, four of b
      const found = gradientsOf(lossOf(network, options, {}, { exampleWeights }), params)
      const expected = gradientsOf(lossOf(part, options), params)
      expectClose(await engine.read(found), await engine.read(expected), 1e-5)
    },
  )
})
