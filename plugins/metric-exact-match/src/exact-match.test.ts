import { readFileSync } from 'node:fs'
import { type MetricGolden, describeMetric } from '@attune/testkit'
import { exactMatch } from './exact-match.js'

describeMetric(exactMatch, {
  golden: JSON.parse(readFileSync('golden/squad-exact-match.json', 'utf8')) as MetricGolden,
})
