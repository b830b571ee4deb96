import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adamw8bit } from './adamw-8bit.js'

const golden = JSON.parse(readFileSync('golden/torchao-adamw-8bit.json', 'utf8')) as OptimizerGolden

describeOptimizer(adamw8bit, {
  golden,
  options: { minimumSize: 1, blockSize: 4 },
  minimizes: {
    options: { minimumSize: 1, blockSize: 4, weightDecay: 0 },
    rosenbrock: { learningRate: 0.1, steps: 300 },
  },
})
