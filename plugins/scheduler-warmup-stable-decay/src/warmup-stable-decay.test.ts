import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'

import { warmupStableDecay } from './warmup-stable-decay.js'

describeScheduler(warmupStableDecay, {
  golden: JSON.parse(readFileSync('golden/transformers-warmup-stable-decay.json', 'utf8')) as SchedulerGolden,
})
