import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { rmsprop } from './rmsprop.js'

const golden = JSON.parse(readFileSync('golden/torch-rmsprop.json', 'utf8')) as OptimizerGolden

describeOptimizer(rmsprop, { golden })
