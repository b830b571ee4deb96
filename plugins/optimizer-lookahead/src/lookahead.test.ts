import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lookahead } from './lookahead.js'

const golden = JSON.parse(readFileSync('golden/pytorch_optimizer-lookahead.json', 'utf8')) as OptimizerGolden

describeOptimizer(lookahead, { golden, minimizes: { leastSquares: { learningRate: 1, steps: 150 } } })
