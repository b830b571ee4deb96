import { readFileSync } from 'node:fs'
import { describeMetric, type MetricGolden } from '@attune/testkit'
import { multiLabelF1 } from './multi-label-f1.js'

describeMetric(multiLabelF1, {
  golden: JSON.parse(readFileSync('golden/sklearn-multi-label-f1.json', 'utf8')) as MetricGolden,
})
