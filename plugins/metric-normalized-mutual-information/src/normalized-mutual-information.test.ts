import { readFileSync } from 'node:fs'
import { describeMetric, type MetricGolden } from '@attune/testkit'
import { normalizedMutualInformation } from './normalized-mutual-information.js'

describeMetric(normalizedMutualInformation, {
  golden: JSON.parse(readFileSync('golden/sklearn-normalized-mutual-information.json', 'utf8')) as MetricGolden,
})
