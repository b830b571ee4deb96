import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lion } from './lion.js'

const golden = JSON.parse(readFileSync('golden/lion_pytorch-lion.json', 'utf8')) as OptimizerGolden

describeOptimizer(lion, { golden, learningRates: { logistic: 0.01 } })
