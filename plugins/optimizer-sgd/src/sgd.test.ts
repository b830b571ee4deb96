import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { sgd } from './sgd.js'

const golden = JSON.parse(readFileSync('golden/torch-sgd.json', 'utf8')) as OptimizerGolden

describeOptimizer(sgd, {
  golden,
  minimizes: {
    options: { momentum: 0.95 },
    parabola: { learningRate: 0.3, steps: 350 },
    leastSquares: { learningRate: 0.3, steps: 350 },
    rosenbrock: { learningRate: 0.003, steps: 400 },
  },
})
