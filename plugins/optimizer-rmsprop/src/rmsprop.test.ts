import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { rmsprop } from './rmsprop.js'

const golden = JSON.parse(readFileSync('golden/torch-rmsprop.json', 'utf8')) as OptimizerGolden

describeOptimizer(rmsprop, {
  golden,
  minimizes: { options: { momentum: 0.9 }, rosenbrock: { learningRate: 0.003, steps: 600 } },
})
