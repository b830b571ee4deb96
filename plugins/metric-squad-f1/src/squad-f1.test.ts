import { readFileSync } from 'node:fs'
import { type MetricGolden, describeMetric } from '@attune/testkit'
import { squadF1 } from './squad-f1.js'

describeMetric(squadF1, { golden: JSON.parse(readFileSync('golden/squad-squad-f1.json', 'utf8')) as MetricGolden })
