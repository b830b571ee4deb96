import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adadelta } from './adadelta.js'

const golden = JSON.parse(readFileSync('golden/torch-adadelta.json', 'utf8')) as OptimizerGolden

describeOptimizer(adadelta, { golden, learningRates: { parabola: 5, rosenbrock: 0.1, logistic: 1 } })
