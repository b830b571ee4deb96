import { readFileSync } from 'node:fs'
import { type MetricGolden, describeMetric } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { tokenAccuracy } from './token-accuracy.js'

describeMetric(tokenAccuracy, {
  golden: JSON.parse(readFileSync('golden/sklearn-token-accuracy.json', 'utf8')) as MetricGolden,
})

it('counts missing tokens of a short prediction as wrong, and ignores tokens beyond the reference', () => {
  const metric = tokenAccuracy()
  const state = metric.add(metric.init(), [['a'], ['a', 'b', 'c'], []], [['a', 'b'], ['a'], []])
  expect(metric.result(state).value).toBeCloseTo(2 / 3, 12)
  expect(metric.result(metric.init()).value).toBe(0)
})
