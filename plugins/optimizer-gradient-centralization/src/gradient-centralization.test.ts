import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { gradientCentralization } from './gradient-centralization.js'

const golden = JSON.parse(
  readFileSync('golden/pytorch_optimizer-gradient-centralization.json', 'utf8'),
) as OptimizerGolden

describeOptimizer(gradientCentralization, {
  golden,
  minimizes: { leastSquares: { learningRate: 1, steps: 100, reaches: 1.4 } },
})
