import { afterAll, beforeAll, describe, it } from '@jest/globals'
import type { Hyper, Model, Objective, Params, Tree } from '@attune/core'
import { scaleByLearningRate } from '@attune/nn'
import { expectClose, floats, referenceEngine, tinyModel } from '@attune/testkit'
import { type Tensor, onesLike, square, sub, sum } from '@tensorflow/tfjs-core'
import { affinityStep } from './task-affinity.js'

/** A model of one vector, and tasks with the loss |w − target|² / 2 + |own|²/2. */
const model: Model = {
  ...tinyModel(),
  forward: ({ w }: Params) => ({ pooled: w!, lastHiddenState: w! }),
}
const objective = {
  head: ({ own }: Params, { pooled }: { pooled: Tensor }) => ({ pooled, own: own! }),
  loss: (head: Record<string, Tensor>, { target }: Record<string, Tensor>) => {
    const losses = sum(square(sub(head['pooled']!, target!)))
      .add(sum(square(head['own']!)))
      .div(2)
      .reshape([1])
    return { losses, weights: onesLike(losses) }
  },
} as unknown as Objective

describe('affinityStep', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('matches the cosines and affinities of quadratic losses, computed by hand, and steps on their sum', async () => {
    const [rate, own] = [0.1, 2]
    const targets = { a: [1, 0], b: [1, 0], c: [-1, 0], d: [0, 1] }
    const step = affinityStep({
      model,
      objective,
      optimizer: scaleByLearningRate() as never,
      isShared: (name) => name === 'w',
    })
    const trainable = engine.put({ w: floats([0, 0]), own: floats([own]) }) as Params
    const batches = engine.put(
      Object.fromEntries(
        Object.entries(targets).map(([name, target]) => [name, { inputs: {}, target: floats(target) }]),
      ),
    )
    const hyper = engine.put({ learningRate: floats([rate], []) }) as unknown as Hyper
    const { state, losses, cosines, affinities } = step({ trainable, optimizer: {} }, {}, batches as never, hyper)
    const points = Object.values(targets)
    const before = (1 + own ** 2) / 2
    /** Loss at w = rate · from, where the own parameter stays. */
    const after = (from: number[], to: number[]) =>
      (from.reduce((total, x, i) => total + (rate * x - to[i]!) ** 2, 0) + own ** 2) / 2
    const square4 = (f: (from: number[], to: number[]) => number) =>
      floats(
        points.flatMap((from) => points.map((to) => f(from, to))),
        [4, 4],
      )
    expectClose(await engine.read(losses as Tree), floats(points.map(() => before)), 1e-5)
    expectClose(
      await engine.read(cosines as Tree),
      square4(([x, y], [u, v]) => x! * u! + y! * v!),
      1e-5,
    )
    expectClose(
      await engine.read(affinities as Tree),
      square4((from, to) => 1 - after(from, to) / before),
      1e-5,
    )
    const expected = { w: floats([rate, rate]), own: floats([own - 4 * rate * own]) }
    expectClose(await engine.read(state.trainable), expected, 1e-5)
  })
})
