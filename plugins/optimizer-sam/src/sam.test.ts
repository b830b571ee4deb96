import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { sam } from './sam.js'

const golden = JSON.parse(readFileSync('golden/pytorch_optimizer-sam.json', 'utf8')) as OptimizerGolden

describeOptimizer(sam, { golden })
