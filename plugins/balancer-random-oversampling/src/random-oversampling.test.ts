import { readFileSync } from 'node:fs'
import { key, stream } from '@attune/core'
import { type BalancerGolden, describeBalancer } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { randomOversampling } from './random-oversampling.js'

const golden = JSON.parse(readFileSync('golden/imbalanced-learn.json', 'utf8')) as BalancerGolden

describeBalancer(randomOversampling, { golden })
describeBalancer(randomOversampling, { options: { classes: 'minority', ratio: 0.5 } })

describe('random-oversampling', () => {
  it('keeps every example in order and appends examples of the rare class', () => {
    const classes = ['a', 'b', 'a', 'a', 'a', 'b']
    const { indices } = randomOversampling().balance({ classes }, stream(key(1)))
    expect(indices.slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5])
    expect(indices.slice(6).every((i) => classes[i] === 'b')).toBe(true)
    expect(indices).toHaveLength(8)
  })

  it('repeats the examples of a class uniformly', () => {
    const classes = [...new Array<string>(4004).fill('common'), ...new Array<string>(4).fill('rare')]
    const { indices } = randomOversampling().balance({ classes }, stream(key(2)))
    const counts = [0, 1, 2, 3].map((i) => indices.slice(4008).filter((index) => index === 4004 + i).length)
    const chiSquare = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
    expect(chiSquare).toBeLessThan(16.3) // the 99.9th percentile for 3 degrees of freedom
  })
})
