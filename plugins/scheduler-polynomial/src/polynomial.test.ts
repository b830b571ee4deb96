import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { polynomial } from './polynomial.js'

describeScheduler(polynomial, {
  golden: JSON.parse(readFileSync('golden/transformers-polynomial.json', 'utf8')) as SchedulerGolden,
})

it('rejects both a number and a fraction of warmup steps', () =>
  expect(() => polynomial({ warmupSteps: 10, warmupRatio: 0.1 })).toThrow(/either `warmupSteps` or `warmupRatio`/))
