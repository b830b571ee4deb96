import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { clipByNorm } from './clip-by-norm.js'

const golden = JSON.parse(readFileSync('golden/torch-clip-by-norm.json', 'utf8')) as OptimizerGolden

describeOptimizer(clipByNorm, { golden })
