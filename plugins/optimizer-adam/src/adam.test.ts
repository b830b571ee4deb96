import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adam } from './adam.js'

const golden = JSON.parse(readFileSync('golden/torch-adam.json', 'utf8')) as OptimizerGolden

describeOptimizer(adam, { golden })
