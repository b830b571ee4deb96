import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { inverseSquareRoot } from './inverse-square-root.js'

describeScheduler(inverseSquareRoot, {
  golden: JSON.parse(readFileSync('golden/transformers-inverse-square-root.json', 'utf8')) as SchedulerGolden,
})
