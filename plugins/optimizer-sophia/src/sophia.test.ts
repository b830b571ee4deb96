import { readFileSync } from 'node:fs'
import { type OptimizerGolden, describeOptimizer, goldenDeviation, referenceEngine } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { sophia } from './sophia.js'

const read = (name: string) => JSON.parse(readFileSync(`golden/${name}.json`, 'utf8')) as OptimizerGolden

describeOptimizer(sophia, {
  golden: read('pytorch_optimizer-sophia'),
  minimizes: {
    options: { beta1: 0.9, gamma: 0.01, weightDecay: 0 },
    parabola: { learningRate: 0.1, steps: 250 },
    leastSquares: { learningRate: 0.1, steps: 250 },
    rosenbrock: { learningRate: 0.2, steps: 300, reaches: 0.01 },
  },
})

const sampled = read('sophia-g')

it.each(sampled.cases)('matches ten steps of Sophia-G of its authors for $options', async (example) => {
  const engine = referenceEngine()
  await engine.start()
  expect(await goldenDeviation(engine, sophia, sampled, example)).toBeLessThan(1e-5)
  await engine.close()
})
