import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { nadam } from './nadam.js'

const golden = JSON.parse(readFileSync('golden/torch-nadam.json', 'utf8')) as OptimizerGolden

describeOptimizer(nadam, { golden })
