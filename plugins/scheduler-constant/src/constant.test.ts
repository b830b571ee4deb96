import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { constant } from './constant.js'

describeScheduler(constant, {
  golden: JSON.parse(readFileSync('golden/transformers-constant.json', 'utf8')) as SchedulerGolden,
})
