import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Objective, type Params, type TextInputs, key, stream } from '@attune/core'
import { crossEntropy, linear, penalty } from '@attune/nn'
import { randomPartitions, referenceEngine } from '@attune/testkit'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { compileStep } from './compiled-step.js'
import { NO_CONSTANTS } from './loss-function.js'
import {
  copyOf,
  descent,
  graphEngine,
  hyperOf,
  maximumDifference,
  quietModel,
  tinyItems,
  tinyObjective,
  tinyParams,
} from './tiny.test.fixture.js'
import { accumulateStep, emptyAccumulation } from './training-step.js'

const model = quietModel()
const plain = tinyObjective(model)
const items = tinyItems(5)
const optimizer = descent()

/** Three losses, of all texts, of those of class 1, and of all tokens, whose weights are in other proportions in each micro-batch. */
const several = (count: () => void = () => undefined): Objective =>
  tinyObjective(model, {
    trainingLoss({ params, mode, forward }, batch) {
      count()
      const inputs = batch.inputs as unknown as TextInputs
      const outputs = forward(inputs)
      const labels = (batch as unknown as { labels: Tensor }).labels
      const { losses, weights } = plain.loss(plain.head(params, outputs, mode, batch), batch)
      const tokens = linear(params, 'tokens', outputs.lastHiddenState, { bias: false })
      return {
        texts: { losses, weights },
        positives: {
          losses: crossEntropy(linear(params, 'other', outputs.pooled, { bias: false }), labels),
          weights: tf.cast(labels, 'float32'),
        },
        tokens: {
          losses: tf.square(tf.squeeze(tokens, [2])),
          weights: tf.cast(inputs.attentionMask, 'float32'),
        },
      }
    },
  }) as Objective

const single = (count: () => void): Objective =>
  tinyObjective(model, {
    trainingLoss({ params, mode, forward }, batch) {
      count()
      return plain.loss(plain.head(params, forward(batch.inputs as unknown as TextInputs), mode, batch), batch)
    },
  }) as Objective

describe.each([
  ['eager', referenceEngine()],
  ['compiled', graphEngine()],
])('a step over micro-batches, %s', (_, engine) => {
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const start = (): Params => tinyParams(engine, { 'other.weight': [2, 8], 'tokens.weight': [1, 8] })

  it('has the loss, gradient norm and update of the whole batch with several losses, for any partition', async () => {
    const objective = several()
    const regularizers = [penalty((p) => tf.mul(0.1, tf.sum(tf.square(p['classifier.weight']!))))]
    const step = compileStep(engine, { model, objective, optimizer, regularizers })
    const over = async (sizes: readonly number[]) => {
      const trainable = await copyOf(engine, start())
      const state = { trainable, optimizer: optimizer.init(trainable) }
      let at = 0
      const parts = sizes.map((size) => objective.collate(items.slice(at, (at += size))))
      const inputs = { learningRate: 1, step: 1, steps: 1, seed: key(1) }
      const result = await engine.read(step.run(state, { frozen: {}, constants: NO_CONSTANTS }, parts, inputs))
      return result as unknown as Record<'loss' | 'gradientNorm', HostArray> & {
        state: { trainable: Record<string, HostArray> }
      }
    }
    const whole = await over([items.length])
    for (const sizes of randomPartitions(items.length, 2, stream(key(2)))) {
      const { loss, gradientNorm, state } = await over(sizes)
      const found = [loss, gradientNorm].map(({ values }) => values[0]!)
      const wanted = [whole.loss, whole.gradientNorm].map(({ values }) => values[0]!)
      expect([sizes, ...found]).toEqual([sizes, ...wanted.map((value) => expect.closeTo(value, 5))])
      expect([sizes, maximumDifference(state.trainable, whole.state.trainable) < 3e-6]).toEqual([sizes, true])
    }
    step.dispose()
  })

  it('evaluates a single loss once for each micro-batch, after the first step', async () => {
    let calls = 0
    const step = compileStep(engine, { model, objective: single(() => calls++), optimizer })
    const parts = [items.slice(0, 2), items.slice(2, 4)].map((part) => plain.collate(part))
    let trainable: Params = await copyOf(engine, tinyParams(engine))
    const counts: number[] = []
    for (let i = 1; i <= 2; i++) {
      const state = { trainable, optimizer: optimizer.init(trainable) }
      const inputs = { learningRate: 1, step: i, steps: 2, seed: key(i) }
      trainable = step.run(state, { frozen: {}, constants: NO_CONSTANTS }, parts, inputs).state.trainable
      counts.push(calls)
    }
    expect(counts[1]! - counts[0]!).toBe(engine.device === 'ONNX Runtime' ? 0 : 2)
    step.dispose()
  })

  it('frees all tensors except the state', async () => {
    const step = compileStep(engine, { model, objective: several(), optimizer })
    const parts = [items.slice(0, 2), items.slice(2, 4), items.slice(4)].map((part) => plain.collate(part))
    let trainable = await copyOf(engine, start())
    const live: number[] = []
    for (let i = 1; i <= 3; i++) {
      const state = { trainable, optimizer: optimizer.init(trainable) }
      const inputs = { learningRate: 0.1, step: i, steps: 3, seed: key(i) }
      const {
        state: next,
        loss,
        gradientNorm,
      } = step.run(state, { frozen: {}, constants: NO_CONSTANTS }, parts, inputs)
      engine.release({ loss, gradientNorm })
      trainable = next.trainable
      live.push(engine.live())
    }
    expect(live[2]).toBe(live[1])
    step.dispose()
  })

  it('rejects several losses without their total weights', () => {
    const params = start()
    const batch = engine.put(plain.collate(items)) as never
    const add = engine.compile(() =>
      accumulateStep({ model, objective: several() })(emptyAccumulation(params), params, {}, batch, hyperOf(engine)),
    )
    expect(add).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})
