import { readFileSync } from 'node:fs'
import { describeMetric, type MetricGolden } from '@attune/testkit'
import { f1 } from './f1.js'

describeMetric(f1, { golden: JSON.parse(readFileSync('golden/sklearn-f1.json', 'utf8')) as MetricGolden })
