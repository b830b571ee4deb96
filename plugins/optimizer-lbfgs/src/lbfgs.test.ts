import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lbfgs } from './lbfgs.js'

const golden = JSON.parse(readFileSync('golden/torch-lbfgs.json', 'utf8')) as OptimizerGolden

describeOptimizer(lbfgs, {
  golden,
  // A line search finds the step size, and few steps suffice.
  minimizes: {
    parabola: { learningRate: 1, steps: 20 },
    rosenbrock: { learningRate: 1, steps: 40 },
    logistic: { learningRate: 1, steps: 20 },
    leastSquares: { learningRate: 1, steps: 20 },
  },
})
