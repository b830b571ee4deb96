import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { conjugateGradient } from './conjugate-gradient.js'

const golden = JSON.parse(readFileSync('golden/scipy-conjugate-gradient.json', 'utf8')) as OptimizerGolden

describeOptimizer(conjugateGradient, { golden, steps: 200, learningRates: { parabola: 1, rosenbrock: 1, logistic: 1 } })
