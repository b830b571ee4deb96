import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type Batch,
  type HostArray,
  type Losses,
  type Model,
  type OnDevice,
  type Params,
  type TextInputs,
  key,
} from '@attune/core'
import type { ClassificationBatch } from '@attune/data'
import { crossEntropy, modeAt, linear, logSigmoid, noise, reduceLosses, stopGradient, withHook } from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { compileStep } from './compiled-step.js'
import { type Auxiliary, NO_CONSTANTS, lossFunction } from './loss-function.js'
import {
  maximumDifference,
  copyOf,
  descent,
  splitParams,
  graphEngine,
  hyperOf,
  quietModel,
  takeSteps,
} from './tiny.test.fixture.js'
import { tinyItems, tinyObjective, tinyParams } from './tiny.test.fixture.js'

const engine = graphEngine()
const model = quietModel()
const objective = tinyObjective(model)
const inputsOf = (batch: { readonly inputs: unknown }): TextInputs => batch.inputs as TextInputs
const even = (losses: Tensor): Losses => ({ losses, weights: tf.onesLike(losses) })
beforeAll(() => engine.start())
afterAll(() => engine.close())

type HostParams = Readonly<Record<string, HostArray>>

/** Gradient reversal layer: identity in the forward pass, negated and scaled gradient. Ganin et al., 2016. */
const reversed = (x: Tensor, strength: Tensor): Tensor =>
  tf.customGrad((input, save) => {
    ;(save as (tensors: Tensor[]) => void)([strength])
    return {
      value: tf.clone(input as Tensor),
      gradFunc: (g: Tensor, saved: Tensor[]) => tf.neg(tf.mul(g, saved[0]!)),
    }
  })(x)

/** Domain-adversarial training (DANN): the domain loss reaches the representation through gradient reversal. */
const dann = tinyObjective(model, {
  trainingLoss({ params, mode, hyper, forward }, batch) {
    const outputs = forward(inputsOf(batch))
    const labels = (batch as unknown as { labels: Tensor }).labels
    const domains = tf.mod(tf.range(0, labels.shape[0]!, 1, 'int32'), tf.scalar(2, 'int32'))
    const task = objective.loss(objective.head(params, outputs, mode, batch), batch)
    const seen = reversed(outputs.pooled, hyper.scheduled['objective.reversal']!)
    return { task, domain: even(crossEntropy(linear(params, 'domain', seen, { bias: false }), domains)) }
  },
})

describe('trainingLoss with several losses', () => {
  it('sums the losses, each divided by its own weight', async () => {
    const parts = { model, objective: dann }
    const trainable = tinyParams(engine, { 'domain.weight': [2, 8] })
    const batch = engine.put(objective.collate(tinyItems(6))) as never
    const hyper = hyperOf(engine, { scheduled: { 'objective.reversal': 0.5 } })
    const mode = { training: true, key: { seed: hyper.seed, stream: 0 } } as const
    const program = engine.compile((p: Params) => {
      const call = { trainable: p, frozen: {}, batch, mode, hyper }
      const outputs = model.forward(p, inputsOf(batch), mode)
      const domains = tf.tensor([0, 1, 0, 1, 0, 1], [6], 'int32')
      const { sum, weight } = lossFunction(parts)(call)
      const task = tf.mean(
        crossEntropy(objective.head(p, outputs, mode, batch), (batch as unknown as { labels: Tensor }).labels),
      )
      const domain = tf.mean(crossEntropy(linear(p, 'domain', outputs.pooled, { bias: false }), domains))
      return { mean: tf.div(sum, weight), byHand: tf.add(task, domain) }
    })
    const { mean, byHand } = await engine.read(program(trainable))
    expect(mean.values[0]).toBeCloseTo(byHand.values[0] as number, 5)
  })

  it('reverses and scales the domain gradient by the scheduled strength (DANN)', async () => {
    const start = tinyParams(engine, { 'domain.weight': [2, 8] })
    const skewed = {
      ...start,
      'domain.weight': engine.put({
        shape: [2, 8],
        dtype: 'float32',
        values: Float32Array.from({ length: 16 }, (_, i) => (i % 5) / 5),
      } as HostArray),
    }
    const moved = async (strength: number): Promise<HostParams> => {
      const given = { steps: 1, trainable: skewed, scheduled: () => ({ 'objective.reversal': strength }) }
      return (await takeSteps(engine, { model, objective: dann }, given)).trainable
    }
    const [none, half, whole] = [await moved(0), await moved(0.5), await moved(1)]
    const at = (from: HostParams, name: string): number => Number(from[name]!.values[3])
    const shift = (from: HostParams): number =>
      at(from, 'tiny.pooler.dense.weight') - at(none, 'tiny.pooler.dense.weight')
    expect(Math.abs(shift(whole))).toBeGreaterThan(1e-6)
    expect(shift(half) / shift(whole)).toBeCloseTo(0.5, 2)
    expect(half['domain.weight']).toEqual(whole['domain.weight'])
  })
})

describe('adversarial training (GAN)', () => {
  it('alternates generator and discriminator losses within one compiled step', async () => {
    const only = (params: Params, part: string): Params =>
      Object.fromEntries(Object.entries(params).map(([n, t]) => [n, n.startsWith(part) ? t : stopGradient(t)]))
    const gan = tinyObjective(model, {
      trainingLoss({ params, hyper, forward }, batch) {
        const real = stopGradient(forward(inputsOf(batch)).pooled)
        const z = noise({ seed: hyper.seed, stream: 9 }, real.shape, 'normal')
        const made = (p: Params): Tensor => tf.tanh(linear(p, 'generator', z, { bias: false }))
        const score = (p: Params, x: Tensor): Tensor => linear(p, 'discriminator', x, { bias: false })
        const judge = only(params, 'discriminator.')
        const maker = only(params, 'generator.')
        const fooled = tf.neg(logSigmoid(score(only(params, '-'), made(maker))))
        const turn = tf.cast(tf.equal(tf.mod(hyper.step, 2), 0), 'float32') // 1: the generator's
        const found = tf.add(
          logSigmoid(score(judge, real)),
          logSigmoid(tf.neg(score(judge, stopGradient(made(maker))))),
        )
        return even(tf.reshape(tf.sub(tf.mul(turn, fooled), tf.mul(tf.sub(1, turn), found)), [-1]))
      },
    })
    const params = tinyParams(engine, { 'generator.weight': [8, 8], 'discriminator.weight': [1, 8] })
    const start = (await engine.read(params)) as HostParams
    const after = async (steps: number): Promise<HostParams> =>
      (await takeSteps(engine, { model, objective: gan }, { steps, trainable: params })).trainable
    const states = [start, await after(1), await after(2), await after(3)]
    const turns = ['generator.weight', 'discriminator.weight', 'tiny.pooler.dense.weight'].map((name) =>
      states.slice(1).map((now, i) => maximumDifference({ [name]: now[name]! }, states[i]!) > 0),
    )
    expect(turns).toEqual([
      [false, true, false],
      [true, false, true],
      [false, false, false],
    ])
  })
})

/** Direct preference optimization (DPO) of the label over the other class, against a reference. Rafailov et al., 2023. */
const dpo = (on: Model) =>
  tinyObjective(on, {
    needsReference: true,
    trainingLoss({ params, mode, forward, models: { reference } }, batch) {
      const { labels } = batch as unknown as { labels: Tensor }
      const margin = (logits: Tensor): Tensor =>
        tf.sub(crossEntropy(logits, tf.cast(tf.sub(1, labels), 'int32')), crossEntropy(logits, labels))
      const now = margin(objective.head(params, forward(inputsOf(batch)), mode, batch))
      const before = margin(reference!.head(reference!.forward(inputsOf(batch)), batch) as Tensor)
      return even(tf.neg(logSigmoid(tf.mul(0.5, tf.sub(now, before)))))
    },
  })

describe('direct preference optimization (DPO)', () => {
  const reference = (names: readonly string[]): Auxiliary => ({
    model,
    objective,
    params: (frozen, own) => Object.fromEntries(names.map((name) => [name, own[name] ?? frozen[name]!])),
  })

  it('lowers the loss from ln 2 under full fine-tuning, without changing the reference', async () => {
    const params = tinyParams(engine)
    const own = await copyOf(engine, params)
    const before = (await engine.read(own)) as HostParams
    const parts = { model, objective: dpo(model), models: { reference: reference(Object.keys(params)) } }
    const constants = { models: { reference: own } }
    const { losses, trainable } = await takeSteps(engine, parts, { steps: 10, trainable: params, constants })
    expect(losses[0]).toBeCloseTo(Math.log(2), 5)
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.01)
    expect(await engine.read(own)).toEqual(before)
    expect(maximumDifference(trainable, before)).toBeGreaterThan(1e-3)
  })

  it('lowers the loss under low-rank updates, with the frozen base as the reference', async () => {
    const name = 'tiny.pooler.dense'
    const base = tinyParams(engine)
    const { trainable: head, frozen } = splitParams(base, /^classifier/)
    const adapted: Model = {
      ...model,
      forward: (params, inputs, mode) =>
        model.forward(
          withHook(params, (site, x, compute) => {
            const [a, b] = [site.params[`${site.name}.a`], site.params[`${site.name}.b`]]
            return a === undefined ? compute(x) : tf.add(compute(x), tf.matMul(tf.matMul(x as never, a), b!))
          }),
          inputs,
          mode,
        ),
    }
    const factors = engine.compile(() => ({ [`${name}.a`]: tf.fill([8, 2], 0.1), [`${name}.b`]: tf.zeros([2, 8]) }))()
    const own = await copyOf(engine, head)
    const parts = { model: adapted, objective: dpo(adapted), models: { reference: reference(Object.keys(base)) } }
    const constants = { models: { reference: own } }
    const before = (await engine.read(frozen)) as HostParams
    const { losses } = await takeSteps(engine, parts, {
      steps: 10,
      trainable: { ...factors, ...head },
      frozen,
      constants,
      learningRate: 0.5,
    })
    expect(losses[0]).toBeCloseTo(Math.log(2), 5)
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.01)
    expect(await engine.read(frozen)).toEqual(before)
  })
})

describe('example weights', () => {
  const weighted = (batch: Batch, weights: readonly number[]): Batch => ({
    ...batch,
    exampleWeights: { shape: [weights.length], dtype: 'float32', values: Float32Array.from(weights) },
  })
  const WEIGHTS = [1, 0, 2.5, 0.25, 1, 3]
  const items = tinyItems(6)

  it('scale each example’s loss: an example of weight 2 counts as two of weight 1', async () => {
    const trainable = tinyParams(engine)
    const reduce = async (batch: Batch): Promise<number> => {
      const program = engine.compile((p: Params, b: OnDevice<Batch>) => {
        const hyper = hyperOf(engine, { seed: key(1) })
        const mode = modeAt({ training: true, key: { seed: hyper.seed, stream: 0 } }, 0)
        const { sum, weight } = lossFunction({ model, objective })({ trainable: p, frozen: {}, batch: b, mode, hyper })
        return tf.div(sum, weight)
      })
      return (await engine.read(program(trainable, engine.put(batch) as unknown as OnDevice<Batch>)))
        .values[0] as number
    }
    const [a, b] = items as [never, never]
    const twice = await reduce(objective.collate([a, a, b]))
    expect(await reduce(weighted(objective.collate([a, b]) as ClassificationBatch, [2, 1]))).toBeCloseTo(twice, 6)
    expect(await reduce(weighted(objective.collate(items), WEIGHTS))).not.toBeCloseTo(
      await reduce(objective.collate(items)),
      4,
    )
  })

  it('apply to the tokens of packed texts', async () => {
    const program = engine.compile(() => {
      const losses = tf.tensor2d([1, 2, 4, 8, 16, 32], [2, 3])
      const weights = tf.tensor2d([1, 1, 1, 1, 0, 0], [2, 3])
      const examples = tf.tensor2d([0, 0, 2, 1, 0, 0], [2, 3], 'int32')
      const own = { exampleWeights: tf.tensor1d([2, 3, 0.5]) } as never
      return reduceLosses({ losses, weights, examples }, own)
    })
    const { sum, weight } = await engine.read(program())
    expect([sum.values[0], weight.values[0]]).toEqual([2 * 1 + 2 * 2 + 0.5 * 4 + 3 * 8, 2 + 2 + 0.5 + 3])
  })

  it('are exact over micro-batches, for any split of the batch', async () => {
    const params = tinyParams(engine)
    const step = compileStep(engine, { model, objective, optimizer: descent() })
    const results: HostParams[] = []
    for (const sizes of [[6], [3, 3], [1, 2, 3], [5, 1], [1, 1, 1, 1, 1, 1]]) {
      let at = 0
      const parts = sizes.map((size) => {
        const [from, to] = [at, (at += size)]
        return weighted(objective.collate(items.slice(from, to)), WEIGHTS.slice(from, to))
      })
      const trainable = await copyOf(engine, params)
      const state = { trainable, optimizer: engine.compile(() => descent().init(trainable))() }
      const inputs = { learningRate: 0.5, step: 1, steps: 1, seed: key(1) }
      const { state: next } = step.run(state, { frozen: {}, constants: NO_CONSTANTS }, parts, inputs)
      results.push((await engine.read(next.trainable)) as HostParams)
    }
    for (const other of results.slice(1)) expect(maximumDifference(other, results[0]!)).toBeLessThan(1e-6)
    expect(maximumDifference(results[0]!, (await engine.read(params)) as HostParams)).toBeGreaterThan(1e-3)
  })
})
