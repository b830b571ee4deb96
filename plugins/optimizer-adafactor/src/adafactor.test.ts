import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adafactor } from './adafactor.js'

const golden = JSON.parse(readFileSync('golden/transformers-adafactor.json', 'utf8')) as OptimizerGolden

describeOptimizer(adafactor, {
  golden,
  minimizes: {
    options: { scaleByParameter: false },
    rosenbrock: { learningRate: 0.05, steps: 400, reaches: 0.1 },
  },
})
