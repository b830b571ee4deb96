import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { linear } from './linear.js'

describeScheduler(linear, {
  golden: JSON.parse(readFileSync('golden/transformers-linear.json', 'utf8')) as SchedulerGolden,
})

describe('linear warmup', () => {
  it('rejects both a number and a fraction of warmup steps', () =>
    expect(() => linear({ warmupSteps: 10, warmupRatio: 0.1 })).toThrow(/either `warmupSteps` or `warmupRatio`/))

  it('accepts options completed with the defaults, as a resumed run passes them', () =>
    expect(linear(linear.options.parse({ warmupRatio: 0.5 }))(2, 4)).toBe(0.5))
})
