import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adagrad } from './adagrad.js'

const golden = JSON.parse(readFileSync('golden/torch-adagrad.json', 'utf8')) as OptimizerGolden

describeOptimizer(adagrad, {
  golden,
  minimizes: {
    parabola: { learningRate: 1, steps: 150 },
    leastSquares: { learningRate: 1, steps: 150 },
    rosenbrock: { learningRate: 0.4, steps: 400, reaches: 0.15 },
  },
})
