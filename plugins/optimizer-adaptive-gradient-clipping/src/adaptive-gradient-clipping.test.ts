import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { adaptiveGradientClipping } from './adaptive-gradient-clipping.js'

const golden = JSON.parse(readFileSync('golden/timm-adaptive-gradient-clipping.json', 'utf8')) as OptimizerGolden

describeOptimizer(adaptiveGradientClipping, { golden, minimizes: { options: { fraction: 1, epsilon: 1 } } })
