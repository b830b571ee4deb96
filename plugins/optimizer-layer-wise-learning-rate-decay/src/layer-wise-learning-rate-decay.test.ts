import { readFileSync } from 'node:fs'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { layerWiseLearningRateDecay } from './layer-wise-learning-rate-decay.js'

const golden = JSON.parse(readFileSync('golden/timm-layer-wise-learning-rate-decay.json', 'utf8')) as OptimizerGolden

describeOptimizer(layerWiseLearningRateDecay, { golden })
