import { expect, it } from '@jest/globals'
import * as testkit from './index.js'

it('exports these names, and no others', () => {
  expect(Object.keys(testkit).sort()).toEqual([
    'describeAdapter',
    'describeAugmenter',
    'describeBalancer',
    'describeCallback',
    'describeCleaner',
    'describeEngine',
    'describeMetric',
    'describeModel',
    'describeObjective',
    'describeOptimizer',
    'describeOptions',
    'describeProtocol',
    'describePruner',
    'describeRegularizer',
    'describeScheduler',
    'describeSource',
    'describeTokenizer',
    'describeTracker',
    'describeTuner',
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
