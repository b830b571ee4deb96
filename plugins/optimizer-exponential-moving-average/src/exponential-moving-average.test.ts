import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { exponentialMovingAverage } from './exponential-moving-average.js'

const golden = JSON.parse(readFileSync('golden/torch-exponential-moving-average.json', 'utf8')) as OptimizerGolden

describeOptimizer(exponentialMovingAverage, { golden })
