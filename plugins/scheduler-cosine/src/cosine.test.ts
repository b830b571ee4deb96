import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { cosine } from './cosine.js'

describeScheduler(cosine, {
  golden: JSON.parse(readFileSync('golden/transformers-cosine.json', 'utf8')) as SchedulerGolden,
})

describe('cosine warmup', () => {
  it('rejects both a number and a fraction of warmup steps', () =>
    expect(() => cosine({ warmupSteps: 10, warmupRatio: 0.1 })).toThrow(/either `warmupSteps` or `warmupRatio`/))

  it('accepts options completed with the defaults, as a resumed run passes them', () =>
    expect(cosine(cosine.options.parse({ warmupRatio: 0.5 }))(2, 4)).toBe(0.5))
})
