import { readFileSync } from 'node:fs'
import { type Hyper, OPTIMIZER, type Optimizer, type Params, type Tree, definePlugin, mapParams } from '@attune/core'
import { addDecayedWeights, chain, scaleByAdam, scaleByLearningRate } from '@attune/nn'
import {
  type OptimizerGolden,
  type OptimizerGoldenCase,
  chosenPlugin,
  describeOptimizer,
  floats,
  referenceEngine,
} from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { add } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { alternating } from './alternating.js'

const adamw = definePlugin({
  kind: OPTIMIZER,
  name: 'tiny-adamw',
  summary: 'AdamW',
  options: z.strictObject({ weightDecay: z.number().default(0) }),
  create: ({ weightDecay }): Optimizer =>
    chain(
      scaleByAdam(0.8, 0.9, 1e-8),
      addDecayedWeights(weightDecay, () => true),
      scaleByLearningRate(),
    ),
})
const optimizer = (weightDecay = 0) => chosenPlugin(adamw, { weightDecay }) as never

describeOptimizer(alternating, {
  options: { optimizer: optimizer(), part: 'a.bias' },
  minimizes: {
    parabola: { learningRate: 0.3, steps: 300 },
    leastSquares: { learningRate: 0.3, steps: 300 },
    rosenbrock: { learningRate: 0.1, steps: 600 },
  },
})

const golden = JSON.parse(readFileSync('golden/torch-alternating.json', 'utf8')) as OptimizerGolden
const [{ initial, gradients, learningRates, expected, options }] = golden.cases as [OptimizerGoldenCase]

describe('alternating updates', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const put = (values: Readonly<Record<string, readonly number[]>>) =>
    engine.put(mapParams((each: readonly number[]) => floats(each, [1, each.length]), values)) as unknown as Params

  it(`are those of ${golden.source}, and leave the other part and its state unchanged bit for bit`, async () => {
    const turns = alternating({ optimizer: optimizer(0.1), ...options } as never)
    const step = engine.compile((params: Params, state: Tree, grads: Params, hyper: Hyper) => {
      const { updates, state: next } = turns.update(grads, state, params, hyper)
      return { params: mapParams((p, u) => add(p, u), params, updates), state: next }
    })
    const start = put(mapParams(({ values }) => values, initial))
    let now = { params: start, state: turns.init(start) as Tree }
    let before = await engine.read({ ...now } as never)
    for (const [i, gradient] of gradients!.entries()) {
      const number = (value: number) => floats([value], [])
      const hyper = { learningRate: number(learningRates[i]!), step: number(i + 1), steps: number(10), scheduled: {} }
      now = step(now.params, now.state, put(gradient), engine.put(hyper) as never) as typeof now
      const after = (await engine.read({ ...now } as never)) as Record<string, Record<string, { values: Float32Array }>>
      for (const [name, values] of Object.entries(expected[i]!))
        for (const [j, value] of values.entries()) expect(after['params']![name]!.values[j]).toBeCloseTo(value, 5)
      const [resting, training] = i % 3 === 2 ? (['others', 'selected'] as const) : (['selected', 'others'] as const)
      const [old, name] = [before as typeof after, i % 3 === 2 ? 'a' : 'b']
      expect(after['params']![name]!.values).toEqual(old['params']![name]!.values)
      expect(after['state']![resting]).toEqual(old['state']![resting])
      expect(after['state']![training]).not.toEqual(old['state']![training])
      before = after as never
    }
  })

  it('rejects a link of a chain, and an optimizer that evaluates the loss again', () => {
    const such = (member: Partial<Optimizer>) =>
      definePlugin({ ...adamw, create: () => ({ ...adamw(), ...member }) } as never) as never
    for (const member of [{ link: 'after' }, { needsClosure: true }] as const)
      expect(() => alternating({ optimizer: chosenPlugin(such(member)) as never, part: 'a' })).toThrow(
        expect.objectContaining({ code: 'BAD_OPTIONS' }),
      )
  })
})
