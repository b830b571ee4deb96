import { readFileSync } from 'node:fs'
import { describeMetric } from '@attune/testkit'
import kappa from './kappa.js'

describeMetric(kappa, {
  golden: JSON.parse(readFileSync('golden/sklearn-kappa.json', 'utf8')),
})
