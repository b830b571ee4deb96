import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lion } from './lion.js'

const golden = JSON.parse(readFileSync('golden/lion_pytorch-lion.json', 'utf8')) as OptimizerGolden

describeOptimizer(lion, {
  golden,
  minimizes: {
    parabola: { learningRate: 0.05, steps: 400 },
    logistic: { learningRate: 0.1, steps: 150 },
    leastSquares: { learningRate: 0.03, steps: 500 },
    rosenbrock: { learningRate: 0.02, steps: 600 },
  },
})
