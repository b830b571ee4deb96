import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { clipByValue } from './clip-by-value.js'

const golden = JSON.parse(readFileSync('golden/torch-clip-by-value.json', 'utf8')) as OptimizerGolden

describeOptimizer(clipByValue, { golden })
