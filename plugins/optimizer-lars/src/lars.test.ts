import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lars } from './lars.js'

const golden = JSON.parse(readFileSync('golden/pytorch_optimizer-lars.json', 'utf8')) as OptimizerGolden

describeOptimizer(lars, { golden })
