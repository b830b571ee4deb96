import { readFileSync } from 'node:fs'
import { describeMetric, type MetricGolden } from '@attune/testkit'
import { adjustedRand } from './adjusted-rand.js'

describeMetric(adjustedRand, {
  golden: JSON.parse(readFileSync('golden/sklearn-adjusted-rand.json', 'utf8')) as MetricGolden,
})
