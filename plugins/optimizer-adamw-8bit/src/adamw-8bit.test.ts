import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adamw8bit } from './adamw-8bit.js'

const golden = JSON.parse(readFileSync('golden/torchao-adamw-8bit.json', 'utf8')) as OptimizerGolden

describeOptimizer(adamw8bit, { golden, options: { minimumSize: 1, blockSize: 4 } })
