import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adadelta } from './adadelta.js'

const golden = JSON.parse(readFileSync('golden/torch-adadelta.json', 'utf8')) as OptimizerGolden

describeOptimizer(adadelta, {
  golden,
  minimizes: {
    parabola: { learningRate: 30, steps: 200 },
    logistic: { learningRate: 10, steps: 200 },
    leastSquares: { learningRate: 30, steps: 200 },
    rosenbrock: { learningRate: 2, steps: 400, reaches: 0.1 },
  },
})
