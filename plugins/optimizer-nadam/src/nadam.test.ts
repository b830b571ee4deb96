import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { nadam } from './nadam.js'

const golden = JSON.parse(readFileSync('golden/torch-nadam.json', 'utf8')) as OptimizerGolden

describeOptimizer(nadam, {
  golden,
  minimizes: { options: { beta2: 0.99, momentumDecay: 1 }, rosenbrock: { learningRate: 0.05, steps: 600 } },
})
