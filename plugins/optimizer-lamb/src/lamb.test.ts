import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lamb } from './lamb.js'

const golden = JSON.parse(readFileSync('golden/timm-lamb.json', 'utf8')) as OptimizerGolden

describeOptimizer(lamb, {
  golden,
  minimizes: { options: { weightDecay: 0 }, leastSquares: { learningRate: 0.03, steps: 500 } },
})
