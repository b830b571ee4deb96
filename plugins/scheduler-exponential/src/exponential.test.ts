import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'

import { exponential } from './exponential.js'

describeScheduler(exponential, {
  golden: JSON.parse(readFileSync('golden/torch-exponential.json', 'utf8')) as SchedulerGolden,
})
