import { readFileSync } from 'node:fs'
import type { HostArray, Objective, Params, TrainingContext, Tree } from '@attune/core'
import {
  chosenPlugin,
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  integers,
  referenceEngine,
  tinyClassification,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Scalar, type Tensor, addN, div, mul, scalar, sum } from '@tensorflow/tfjs-core'
import { distillation } from './distillation.js'

const task = chosenPlugin(tinyClassification) as never

const examples = [
  { text: 'fine', label: 'good' },
  { text: 'it broke on the very first day', label: 'bad' },
  { text: 'it is a chair', label: 'neither' },
  { text: 'the best of all', label: 'good' },
  { text: '', label: 'neither' },
  { text: 'no', label: 'bad' },
]
describeObjective(distillation, { options: { task, projection: 8 }, examples })
describeObjective(distillation, {
  options: { task, hiddenWeight: 1, hiddenLayers: 'all', attentionWeight: 0.5 },
  examples,
})

interface Array {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}
interface Case {
  readonly options: Readonly<Record<string, unknown>>
  readonly mask?: Array
  readonly kept?: 'hiddenStates' | 'attentions'
  readonly student: Array
  readonly teacher: Array
  readonly expected: number
  readonly gradient: Array
}
const golden = JSON.parse(readFileSync('golden/torch-distillation.json', 'utf8')) as {
  readonly source: string
  readonly soft: readonly Case[]
  readonly layers: readonly Case[]
}
const host = ({ values, shape }: Array): HostArray => floats(values, shape)
const given = { model: { ...tinyModel(), hiddenSize: 6 }, tokenizer: tinyTokenizer() }

/** A task whose head returns its logits, or nothing that can be distilled, with a loss of 0. */
const headOf = (head: (params: Params) => Tree, config = {}) => {
  const plain = tinyClassification({}, given) as Objective
  const fake = Object.assign(
    () => ({
      ...plain,
      config,
      head: (params: Params) => head(params),
      loss: (_: Tree, { weights }: { weights: Tensor }) => ({ losses: mul(weights, 0), weights }),
    }),
    tinyClassification,
  )
  return chosenPlugin(Object.defineProperty(fake, 'name', { value: 'fake' }) as never) as never
}
const withLogits = headOf((params) => params['logits'] ?? scalar(0))

const engine = referenceEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

/** The mean training loss of an objective whose model and teacher return given outputs. */
function meanOf(objective: Objective, student: Tree, teacher: Tree, batch: Record<string, Tensor>): Scalar {
  const context = {
    params: { logits: student },
    mode: { training: false },
    forward: () => student,
    models: { teacher: { params: {}, forward: () => teacher, head: () => teacher } },
  }
  const weights = batch['mask'] ?? batch['weights']
  const losses = objective.trainingLoss!(context as unknown as TrainingContext, {
    inputs: { attentionMask: weights! },
    weights: weights!,
  })
  const terms = Object.values(losses as Record<string, { losses: Tensor; weights: Tensor }>)
  return addN(terms.map((each) => div(sum(mul(each.losses, each.weights)), sum(each.weights)))) as Scalar
}

describe('distillation losses', () => {
  it.each(golden.soft)(`agree with ${golden.source} for logits: $options`, async ({ options, ...at }) => {
    const objective = distillation({ task: withLogits, taskWeight: 1, softWeight: 1, ...options }, given)
    const loss = (p: Params, teacher: Tensor): Scalar =>
      meanOf(objective, p['x']!, teacher, { weights: scalar(1).mul(mul(p['x']!, 0).sum(-1).add(1)) })
    const both = engine.compile((p: Params, t: Tensor) => ({
      loss: loss(p, t),
      gradient: gradientsOf((q) => loss(q, t), p)['x']!,
    }))
    const found = await engine.read(both(engine.put({ x: host(at.student) }), engine.put(host(at.teacher))))
    expectClose(found, { loss: floats([at.expected], []), gradient: host(at.gradient) }, 1e-6)
  })

  it.each(golden.layers)(`agree with ${golden.source} for $kept: $options`, async ({ options, kept, ...at }) => {
    const objective = distillation({ task: withLogits, softWeight: 0, ...options }, given)
    const layers = (x: Tensor): Tree => ({ [kept!]: kept === 'hiddenStates' ? { 0: x, 1: x } : { 0: x } })
    const mask = integers(at.mask!.values, at.mask!.shape)
    const loss = (p: Params, t: Tensor, m: Tensor): Scalar => meanOf(objective, layers(p['x']!), layers(t), { mask: m })
    const both = engine.compile((p: Params, t: Tensor, m: Tensor) => ({
      loss: loss(p, t, m),
      gradient: gradientsOf((q) => loss(q, t, m), p)['x']!,
    }))
    const [student, teacher] = [engine.put({ x: host(at.student) }), engine.put(host(at.teacher))]
    const found = await engine.read(both(student, teacher, engine.put(mask) as Tensor))
    expectClose(found, { loss: floats([at.expected], []), gradient: host(at.gradient) }, 1e-6)
  })
})

describe('layers to compare', () => {
  const states = (count: number): Tree => ({
    hiddenStates: Object.fromEntries(Array.from({ length: count }, (_, i) => [i, mul(scalar(i), [[[1, 1]]])])),
  })
  const lossOf = (options: object, student: number, teacher: number): number => {
    const all = { task: withLogits, softWeight: 0, hiddenWeight: 1, hiddenLoss: 'squared-error', ...options } as const
    const value = meanOf(distillation(all, given), states(student), states(teacher), { mask: mul(1, [[1]]) })
    return value.dataSync()[0]!
  }

  it.each([
    ['the last ones', {}, 3, 5, 4],
    ['evenly spaced ones', { hiddenLayers: 'all' }, 3, 5, (1 + 4) / 2],
    ['given ones', { hiddenLayers: [[0, 3]] }, 3, 5, 9],
  ])('are %s', (_, options, student, teacher, expected) => {
    expect(lossOf(options, student, teacher)).toBeCloseTo(expected, 6)
  })

  it('must exist', () => {
    expect(() => lossOf({ hiddenLayers: [[3, 4]] }, 3, 5)).toThrow(
      expect.objectContaining({ code: 'DISTILLATION_MISMATCH', problem: expect.stringContaining('[3, 4]') as never }),
    )
  })

  it('must have the same size, or a projection', () => {
    const wide = { hiddenStates: { 0: mul(1, [[[1, 1, 1]]]), 1: mul(1, [[[1, 1, 1]]]) } }
    const objective = distillation({ task: withLogits, softWeight: 0, hiddenWeight: 1 }, given)
    expect(() => meanOf(objective, states(2), wide, { mask: mul(1, [[1]]) })).toThrow(
      expect.objectContaining({ code: 'DISTILLATION_MISMATCH', remedy: 'Set `projection: 3`.' }),
    )
  })
})

describe('a distillation', () => {
  const batch = () => ({ weights: mul(1, [1, 1]) })
  const logits = () =>
    mul(1, [
      [1, 2],
      [3, 4],
    ])

  it.each([
    ['a head without logits', headOf(() => ({ losses: scalar(1) })), {}],
    ['independent labels', headOf(logits, { problem_type: 'multi_label_classification' }), {}],
    ['a single number', headOf(() => mul(1, [1, 2])), {}],
    ['no such teacher', withLogits, { teacher: 'other' }],
  ])('rejects %s', (_, own, more) => {
    const objective = distillation({ task: own, ...more }, given)
    const teacher = own === withLogits ? logits() : own
    expect(() => meanOf(objective, logits(), (teacher === own ? logits() : teacher) as Tensor, batch())).toThrow(
      expect.objectContaining({ code: 'DISTILLATION_MISMATCH' }),
    )
  })

  it('rejects a teacher with other classes', () => {
    const wide = mul(1, [
      [1, 2, 3],
      [3, 4, 5],
    ])
    expect(() => meanOf(distillation({ task: withLogits }, given), logits(), wide, batch())).toThrow(
      expect.objectContaining({ code: 'DISTILLATION_MISMATCH', problem: expect.stringContaining('got 3') as never }),
    )
  })
})
