import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { radam } from './radam.js'

const golden = JSON.parse(readFileSync('golden/torch-radam.json', 'utf8')) as OptimizerGolden

describeOptimizer(radam, {
  golden,
  minimizes: {
    options: { beta2: 0.99 },
    parabola: { learningRate: 0.3, steps: 300 },
    leastSquares: { learningRate: 0.3, steps: 250 },
    rosenbrock: { learningRate: 0.03, steps: 600 },
  },
})
