import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { radam } from './radam.js'

const golden = JSON.parse(readFileSync('golden/torch-radam.json', 'utf8')) as OptimizerGolden

describeOptimizer(radam, { golden })
