import { readFileSync } from 'node:fs'
import { describeMetric, type MetricGolden } from '@attune/testkit'
import { meanAbsoluteError } from './mean-absolute-error.js'

describeMetric(meanAbsoluteError, {
  golden: JSON.parse(readFileSync('golden/sklearn-mean-absolute-error.json', 'utf8')) as MetricGolden,
})
