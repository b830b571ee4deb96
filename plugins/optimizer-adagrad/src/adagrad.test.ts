import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adagrad } from './adagrad.js'

const golden = JSON.parse(readFileSync('golden/torch-adagrad.json', 'utf8')) as OptimizerGolden

describeOptimizer(adagrad, { golden, learningRates: { parabola: 1, rosenbrock: 0.1 } })
