import { readFileSync } from 'node:fs'
import { describeMetric, type MetricGolden } from '@attune/testkit'
import { accuracy } from './accuracy.js'

describeMetric(accuracy, { golden: JSON.parse(readFileSync('golden/sklearn-accuracy.json', 'utf8')) as MetricGolden })
