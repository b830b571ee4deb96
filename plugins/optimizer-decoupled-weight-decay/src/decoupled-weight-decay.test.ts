import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { decoupledWeightDecay } from './decoupled-weight-decay.js'

const golden = JSON.parse(
  readFileSync('golden/pytorch_optimizer-decoupled-weight-decay.json', 'utf8'),
) as OptimizerGolden

describeOptimizer(decoupledWeightDecay, {
  golden,
  minimizes: { leastSquares: { learningRate: 1, steps: 100, reaches: 1e-3 } },
})
