import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { polynomial } from './polynomial.js'

describeScheduler(polynomial, {
  golden: JSON.parse(readFileSync('golden/transformers-polynomial.json', 'utf8')) as SchedulerGolden,
})

it('refuses both a number of steps and a share of warm-up', () =>
  expect(() => polynomial({ warmupSteps: 10, warmupRatio: 0.1 })).toThrow(/either `warmupSteps` or `warmupRatio`/))
