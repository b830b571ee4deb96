import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { muon } from './muon.js'

const golden = JSON.parse(readFileSync('golden/torch-muon.json', 'utf8')) as OptimizerGolden

describeOptimizer(muon, {
  golden,
  minimizes: { options: { weightDecay: 0 }, leastSquares: { learningRate: 0.2, steps: 300 } },
})
