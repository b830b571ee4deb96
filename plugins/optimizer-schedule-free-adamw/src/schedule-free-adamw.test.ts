import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { scheduleFreeAdamw } from './schedule-free-adamw.js'

const golden = JSON.parse(readFileSync('golden/schedulefree-schedule-free-adamw.json', 'utf8')) as OptimizerGolden

describeOptimizer(scheduleFreeAdamw, {
  golden,
  minimizes: {
    parabola: { learningRate: 1, steps: 150 },
    leastSquares: { learningRate: 1, steps: 150 },
    rosenbrock: { learningRate: 0.3, steps: 400 },
  },
})
