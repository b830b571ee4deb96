import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Batch, type OnDevice, type Optimizer, type Params, type Regularizer, mapParams } from '@attune/core'
import { chain, globalNorm, restrictTo, scaleByLearningRate } from '@attune/nn'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { lossAndGradients } from './training-step.js'
import {
  maximumDifference,
  copyOf,
  splitParams,
  graphEngine,
  hyperOf,
  plus,
  quietModel,
  takeSteps,
  tinyItems,
  tinyObjective,
  tinyParams,
} from './tiny.test.fixture.js'

const engine = graphEngine()
const model = quietModel()
const objective = tinyObjective(model)
beforeAll(() => engine.start())
afterAll(() => engine.close())

/** Sharpness-aware minimization (SAM): the gradient at `p + ρ·g/‖g‖`. Foret et al., 2021. */
const sam = (rho: number): Optimizer => ({
  needsClosure: true,
  init: () => ({}),
  update(grads, state, params, _hyper, closure) {
    const scale = tf.div(rho, tf.add(globalNorm(grads), 1e-12))
    return { updates: closure!(plus(params, scale, grads)).grads, state }
  },
})

const dot = (a: Params, b: Params): Tensor => tf.addN(Object.entries(a).map(([name, x]) => tf.sum(tf.mul(x, b[name]!))))
const times = (scale: Tensor | number, a: Params): Params => mapParams((x) => tf.mul(scale, x), a)

interface Memory {
  readonly [tree: string]: Params
}

/** Direction `−H·g` of the L-BFGS two-loop recursion over pairs `s0, y0, s1, y1, …`, latest first. */
function direction(grads: Params, pairs: Memory, count: number): Params {
  const inverse = (x: Tensor): Tensor => tf.where(tf.greater(x, 1e-10), tf.div(1, tf.maximum(x, 1e-10)), 0)
  const at = (name: string, i: number): Params => pairs[`${name}${i}`]!
  const each = Array.from({ length: count }, (_, i) => i)
  const rho = each.map((i) => inverse(dot(at('y', i), at('s', i))))
  let q = grads
  const alpha = each.map((i) => {
    const a = tf.mul(rho[i]!, dot(at('s', i), q))
    q = plus(q, tf.neg(a), at('y', i))
    return a
  })
  const curvature = tf.div(dot(at('s', 0), at('y', 0)), tf.maximum(dot(at('y', 0), at('y', 0)), 1e-10))
  const first = tf.div(1, tf.maximum(1, globalNorm(grads)))
  let r = times(tf.where(tf.greater(rho[0]!, 0), curvature, first), q)
  for (const i of each.reverse()) r = plus(r, tf.sub(alpha[i]!, tf.mul(rho[i]!, dot(at('y', i), r))), at('s', i))
  return times(-1, r)
}

/** First of the step sizes 1, 1/2, 1/4, … that satisfies the Armijo condition, or 0. */
function armijo(lossAt: (size: number) => Tensor, here: Tensor, slope: Tensor, tries: number): Tensor {
  let [taken, found] = [tf.scalar(0) as Tensor, tf.scalar(0) as Tensor]
  for (let k = 0; k < tries; k++) {
    const size = 0.5 ** k
    const enough = tf.cast(tf.lessEqual(lossAt(size), tf.add(here, tf.mul(1e-4 * size, slope))), 'float32')
    taken = tf.add(taken, tf.mul(tf.mul(enough, tf.sub(1, found)), size))
    found = tf.maximum(found, enough)
  }
  return taken
}

/** L-BFGS with backtracking line search inside the step. Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4. */
const lbfgs = (count: number, tries: number): Optimizer<Memory> => ({
  needsClosure: true,
  init(params) {
    const zeros = (): Params => mapParams((p) => tf.zerosLike(p), params)
    const names = Array.from({ length: count }, (_, i) => [`s${i}`, `y${i}`]).flat()
    return Object.fromEntries([...names, 'params', 'grads'].map((name) => [name, zeros()]))
  },
  update(grads, state, params, { step }, closure) {
    const isFirst = tf.cast(tf.equal(step, 1), 'float32')
    const change = (now: Params, then: Params): Params => times(tf.sub(1, isFirst), plus(now, -1, then))
    const pairs = Object.fromEntries(
      Array.from({ length: count }, (_, i) =>
        i === 0
          ? [['s0', change(params, state['params']!)] as const, ['y0', change(grads, state['grads']!)] as const]
          : [[`s${i}`, state[`s${i - 1}`]!] as const, [`y${i}`, state[`y${i - 1}`]!] as const],
      ).flat(),
    )
    const towards = direction(grads, pairs, count)
    const lossAt = (size: number): Tensor => closure!(plus(params, size, towards)).loss
    const size = armijo(lossAt, closure!(params).loss, dot(grads, towards), tries)
    return { updates: times(size, towards), state: { ...pairs, params, grads } }
  },
})

describe('an optimizer with a closure', () => {
  it('SAM matches a step of two evaluations computed by hand', async () => {
    const params = tinyParams(engine)
    const optimizer = chain(sam(0.05), scaleByLearningRate())
    const { trainable } = await takeSteps(engine, { model, objective, optimizer }, { steps: 1, trainable: params })
    const batch = engine.put(objective.collate(tinyItems(8))) as unknown as OnDevice<Batch>
    const hyper = hyperOf(engine)
    const byHand = engine.compile((p: Params, on: OnDevice<Batch>) => {
      const gradientAt = (at: Params): Params =>
        lossAndGradients({ model, objective }, { trainable: at, frozen: {}, batch: on, hyper }).grads
      const first = gradientAt(p)
      const second = gradientAt(plus(p, tf.div(0.05, tf.add(globalNorm(first), 1e-12)), first))
      return plus(p, -0.1, second)
    })
    const expected = (await engine.read(byHand(await copyOf(engine, params), batch))) as typeof trainable
    expect(maximumDifference(trainable, expected)).toBeLessThan(1e-7)
    const plain = await takeSteps(engine, { model, objective }, { steps: 1, trainable: params })
    expect(maximumDifference(trainable, plain.trainable)).toBeGreaterThan(1e-5)
  })

  it('L-BFGS with line search lowers the loss of a head at every step, and in 15 steps below gradient descent after 100', async () => {
    const parts = splitParams(tinyParams(engine), /^classifier/)
    const { losses } = await takeSteps(engine, { model, objective, optimizer: lbfgs(5, 8) }, { steps: 15, ...parts })
    for (const [i, loss] of losses.slice(1).entries()) expect(loss).toBeLessThan(losses[i]! + 1e-6)
    const plain = await takeSteps(engine, { model, objective }, { steps: 100, ...parts })
    expect(losses.at(-1)).toBeLessThan(plain.losses.at(-1)!)
  })
})

describe('the closure with sampled labels', () => {
  /** Adds the gradient on sampled labels, times the weight of the loss. */
  const adding: Optimizer = {
    needsClosure: true,
    init: () => ({}),
    update(_grads, state, params, _hyper, closure) {
      const { grads, weight } = closure!(params, 'sampled')
      return { updates: mapParams((g) => tf.mul(weight, g), grads), state }
    },
  }
  const flipping = tinyObjective(model, {
    sampleLabels: (_params, _outputs, _mode, batch) => ({
      ...batch,
      labels: tf.cast(tf.sub(1, batch.labels), 'int32'),
    }),
  })
  const constant = { losses: tf.zeros([8]), weights: tf.ones([8]) }
  const doubled = {
    wrap: (loss) => (call) => ({ ...loss(call), sum: tf.mul(2, loss(call).sum) }),
  } satisfies Regularizer

  it('evaluates the loss on the labels that the objective samples, without regularizers', async () => {
    const params = tinyParams(engine)
    const components = { model, objective: flipping, regularizers: [doubled], optimizer: adding }
    const { trainable } = await takeSteps(engine, components, { steps: 1, trainable: params })
    const items = tinyItems(8).map((item) => ({ ...item, label: 1 - item.label }))
    const flipped = engine.put(objective.collate(items)) as unknown as OnDevice<Batch>
    const hyper = hyperOf(engine)
    const byHand = engine.compile((at: Params, batch: OnDevice<Batch>) =>
      plus(at, 8, lossAndGradients({ model, objective }, { trainable: at, frozen: {}, batch, hyper }).grads),
    )
    const expected = (await engine.read(byHand(await copyOf(engine, params), flipped))) as typeof trainable
    expect(maximumDifference(trainable, expected)).toBeLessThan(1e-6)
  })

  it.each([
    ['without sampleLabels', objective],
    ['with a training loss of its own', tinyObjective(model, { ...flipping, trainingLoss: () => constant })],
  ])('throws NO_SAMPLED_LABELS for an objective %s', async (_title, other) => {
    const components = { model, objective: other, optimizer: adding }
    await expect(takeSteps(engine, components, { steps: 1, trainable: tinyParams(engine) })).rejects.toMatchObject({
      code: 'NO_SAMPLED_LABELS',
    })
  })
})

describe('restrictTo', () => {
  it('restricts an optimizer with a closure to the parameters of a pattern', async () => {
    const trainable = tinyParams(engine)
    const before = (await engine.read(trainable)) as Awaited<ReturnType<typeof takeSteps>>['trainable']
    const optimizer = chain(
      restrictTo({ init: () => ({}), update: (grads, state) => ({ updates: times(0, grads), state }) }, 'tiny.*'),
      restrictTo(lbfgs(3, 8), 'classifier.*'),
    )
    const after = await takeSteps(engine, { model, objective, optimizer }, { steps: 4, trainable })
    expect(optimizer.needsClosure).toBe(true)
    for (const [name, { values }] of Object.entries(before))
      expect([name, after.trainable[name]!.values.every((x, i) => x === values[i])]).toEqual([
        name,
        name.startsWith('tiny.'),
      ])
    expect(after.losses.at(-1)).toBeLessThan(after.losses[0]!)
  })
})
