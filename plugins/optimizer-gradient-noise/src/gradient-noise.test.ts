import { expect, it } from '@jest/globals'
import type { Hyper, Optimizer, Params } from '@attune/core'
import { eagerEngine } from '@attune/nn'
import { describeOptimizer } from '@attune/testkit'
import { scalar, tensor1d, zeros } from '@tensorflow/tfjs-core'
import { gradientNoise } from './gradient-noise.js'

describeOptimizer(gradientNoise, {
  link: 'before',
  minimizes: {
    parabola: { learningRate: 0.3, steps: 100, reaches: 3e-3 },
    leastSquares: { learningRate: 0.5, steps: 100, reaches: 2e-2 },
  },
})

const COUNT = 20_000
const hyperAt = (step: number): Hyper => ({
  learningRate: scalar(1),
  step: scalar(step),
  steps: scalar(100),
  seed: tensor1d([7, step], 'int32'),
  scheduled: {},
})
const noiseAt = (step: number, grads: Params): Params =>
  (gradientNoise({ variance: 0.3, decay: 0.55 }) as Optimizer).update(grads, {}, grads, hyperAt(step)).updates
const meanSquare = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length

it('has the annealed variance of the paper, other values for each parameter and step, and the same for the same step', async () => {
  const engine = eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() })
  await engine.start()
  const grads = { a: zeros([COUNT]), b: zeros([COUNT]) }
  for (const step of [1, 10, 1000]) {
    const { a, b } = noiseAt(step, grads)
    const [first, second] = [a!.dataSync(), b!.dataSync()]
    const expected = 0.3 / step ** 0.55
    // The relative standard error of a variance of n normal values is √(2/n) = 0.01.
    expect(Math.abs(meanSquare(first) / expected - 1)).toBeLessThan(0.05)
    const product = Array.from(first).reduce((sum, x, i) => sum + x * second[i]!, 0) / COUNT
    expect(Math.abs(product / expected)).toBeLessThan(0.035)
    expect(noiseAt(step, { a: grads.a })['a']!.dataSync()).toEqual(first)
  }
  expect(noiseAt(2, grads)['a']!.dataSync()).not.toEqual(noiseAt(3, grads)['a']!.dataSync())
})
