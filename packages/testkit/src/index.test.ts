import { expect, it } from '@jest/globals'
import * as testkit from './index.js'

it('exports these names, and no others', () => {
  expect(Object.keys(testkit).sort()).toEqual([
    'describeAdapter',
    'describeCallback',
    'describeMetric',
    'describeModel',
    'describeObjective',
    'describeOptimizer',
    'describeOptions',
    'describeProtocol',
    'describeScheduler',
    'describeSource',
    'describeTokenizer',
    'describeTracker',
    'expectClose',
    'floats',
    'gradientsOf',
    'integers',
    'largestDifference',
    'referenceEngine',
    'textInputs',
    'tinyModel',
    'tinyTokenizer',
  ])
})
