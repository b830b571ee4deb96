import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { newton } from './newton.js'

const golden = JSON.parse(readFileSync('golden/torch-newton.json', 'utf8')) as OptimizerGolden

describeOptimizer(newton, { golden, steps: 40, learningRates: { parabola: 1, rosenbrock: 1, logistic: 1 } })
