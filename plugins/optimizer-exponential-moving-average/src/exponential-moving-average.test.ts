import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { describeOptimizer, type OptimizerGolden } from '@attune/testkit'
import { scalar } from '@tensorflow/tfjs-core'
import { exponentialMovingAverage } from './exponential-moving-average.js'

const golden = JSON.parse(readFileSync('golden/torch-exponential-moving-average.json', 'utf8')) as OptimizerGolden

describeOptimizer(exponentialMovingAverage, { golden })

it('leaves the trained weights for evaluation and saving with `evaluate: weights`, and still averages', () => {
  const [averaged, plain] = [exponentialMovingAverage(), exponentialMovingAverage({ evaluate: 'weights' })]
  expect([averaged.evaluationParams, plain.evaluationParams]).toEqual([expect.any(Function), undefined])
  expect(Object.keys(plain.init({ x: scalar(1) }))).toEqual(['average'])
})
