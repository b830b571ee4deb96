import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { stochasticWeightAveraging } from './stochastic-weight-averaging.js'

const golden = JSON.parse(readFileSync('golden/torch-stochastic-weight-averaging.json', 'utf8')) as OptimizerGolden

describeOptimizer(stochasticWeightAveraging, { golden })
