import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adamax } from './adamax.js'

const golden = JSON.parse(readFileSync('golden/torch-adamax.json', 'utf8')) as OptimizerGolden

describeOptimizer(adamax, { golden })
