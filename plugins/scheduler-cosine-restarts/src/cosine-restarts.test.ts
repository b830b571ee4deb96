import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'

import { cosineRestarts } from './cosine-restarts.js'

describeScheduler(cosineRestarts, {
  golden: JSON.parse(readFileSync('golden/transformers-cosine-restarts.json', 'utf8')) as SchedulerGolden,
})
