import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { scalar } from '@tensorflow/tfjs-core'
import { stochasticWeightAveraging } from './stochastic-weight-averaging.js'

const golden = JSON.parse(readFileSync('golden/torch-stochastic-weight-averaging.json', 'utf8')) as OptimizerGolden

describeOptimizer(stochasticWeightAveraging, { golden })

it('leaves the trained weights for evaluation and saving with `evaluate: weights`, and still averages', () => {
  const [averaged, plain] = [stochasticWeightAveraging(), stochasticWeightAveraging({ evaluate: 'weights' })]
  expect([averaged.evaluationParams, plain.evaluationParams]).toEqual([expect.any(Function), undefined])
  expect(Object.keys(plain.init({ x: scalar(1) }))).toEqual(['average'])
})
