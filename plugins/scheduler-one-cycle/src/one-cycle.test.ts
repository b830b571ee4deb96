import { readFileSync } from 'node:fs'
import { type SchedulerGolden, describeScheduler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { oneCycle } from './one-cycle.js'

describeScheduler(oneCycle, {
  golden: JSON.parse(readFileSync('golden/torch-one-cycle.json', 'utf8')) as SchedulerGolden,
})

describe('one cycle over very few steps', () => {
  it('begins at the peak if the rise is shorter than one step', () =>
    expect([1, 2, 3].map((step) => oneCycle({ rise: 0.1, end: 0, curve: 'linear' })(step, 3))).toEqual([1, 0.5, 0]))

  it('takes a single step at the peak', () => expect(oneCycle()(1, 1)).toBe(1))
})
