import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { conjugateGradient } from './conjugate-gradient.js'

const golden = JSON.parse(readFileSync('golden/scipy-conjugate-gradient.json', 'utf8')) as OptimizerGolden

describeOptimizer(conjugateGradient, {
  golden,
  // A line search finds the step size, and few steps suffice.
  minimizes: {
    parabola: { learningRate: 1, steps: 10 },
    rosenbrock: { learningRate: 1, steps: 80 },
    logistic: { learningRate: 1, steps: 20 },
    leastSquares: { learningRate: 1, steps: 20 },
  },
})
