import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lars } from './lars.js'

const golden = JSON.parse(readFileSync('golden/pytorch_optimizer-lars.json', 'utf8')) as OptimizerGolden

describeOptimizer(lars, {
  golden,
  minimizes: {
    options: { momentum: 0.95, trustCoefficient: 0.1 },
    parabola: { learningRate: 0.3, steps: 350 },
    rosenbrock: { learningRate: 0.003, steps: 400 },
  },
})
