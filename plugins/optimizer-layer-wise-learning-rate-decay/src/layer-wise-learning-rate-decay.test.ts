import { readFileSync } from 'node:fs'
import type { AnyPlugin, Model } from '@attune/core'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { layerWiseLearningRateDecay } from './layer-wise-learning-rate-decay.js'

const golden = JSON.parse(readFileSync('golden/timm-layer-wise-learning-rate-decay.json', 'utf8')) as OptimizerGolden

/** Layers of the golden file's model. */
const layers = ['embed.', 'layer.0.', 'layer.1.'].map((prefix) => ({ name: prefix, prefixes: [prefix] }))
const create = (options?: { decay?: number }) =>
  layerWiseLearningRateDecay(options, { model: { layers } as unknown as Model })
const plugin = Object.defineProperty(Object.assign(create, layerWiseLearningRateDecay), 'name', {
  value: layerWiseLearningRateDecay.name,
}) as unknown as AnyPlugin

describeOptimizer(plugin, { golden })
