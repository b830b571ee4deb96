import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adamax } from './adamax.js'

const golden = JSON.parse(readFileSync('golden/torch-adamax.json', 'utf8')) as OptimizerGolden

describeOptimizer(adamax, {
  golden,
  minimizes: {
    parabola: { learningRate: 1, steps: 250 },
    leastSquares: { learningRate: 1, steps: 200 },
    rosenbrock: { learningRate: 0.15, steps: 600 },
  },
})
