import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { sgd } from './sgd.js'

const golden = JSON.parse(readFileSync('golden/torch-sgd.json', 'utf8')) as OptimizerGolden

describeOptimizer(sgd, { golden })
