import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'

import { step } from './step.js'

describeScheduler(step, {
  golden: JSON.parse(readFileSync('golden/torch-step.json', 'utf8')) as SchedulerGolden,
})
