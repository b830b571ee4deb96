import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { lbfgs } from './lbfgs.js'

const golden = JSON.parse(readFileSync('golden/torch-lbfgs.json', 'utf8')) as OptimizerGolden

describeOptimizer(lbfgs, { golden, steps: 60, learningRates: { parabola: 1, rosenbrock: 1, logistic: 1 } })
