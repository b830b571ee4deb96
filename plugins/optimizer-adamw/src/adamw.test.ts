import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adamw } from './adamw.js'

const golden = JSON.parse(readFileSync('golden/torch-adamw.json', 'utf8')) as OptimizerGolden

describeOptimizer(adamw, { golden, minimizes: { options: { weightDecay: 0 } } })
