import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { sophia } from './sophia.js'

const golden = JSON.parse(readFileSync('golden/pytorch_optimizer-sophia.json', 'utf8')) as OptimizerGolden

describeOptimizer(sophia, { golden })
