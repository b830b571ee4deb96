import { key, stream } from '@attune/core'
import { describeBalancer } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { bootstrap } from './bootstrap.js'

describeBalancer(bootstrap)

const sample = (count: number, seed: number): readonly number[] =>
  bootstrap().balance({ classes: new Array<string>(count).fill('a') }, stream(key(seed))).indices

describe('bootstrap', () => {
  it('returns as many examples as there are, in order, with repetitions', () => {
    const indices = sample(200, 1)
    expect(indices).toHaveLength(200)
    expect(indices).toEqual([...indices].sort((a, b) => a - b))
    expect(sample(200, 2)).not.toEqual(indices)
  })

  it('keeps the size of each class', () => {
    const classes = Array.from({ length: 103 }, (_, i) => (i === 50 ? 'single' : `class ${i % 3}`))
    const { indices } = bootstrap().balance({ classes }, stream(key(5)))
    expect(indices.map((i) => classes[i]).sort()).toEqual([...classes].sort())
    expect(indices.filter((i) => i === 50)).toHaveLength(1)
  })

  it('leaves out a fraction of (1 − 1/n)ⁿ of the examples', () => {
    const n = 20_000
    const left = 1 - new Set(sample(n, 3)).size / n
    expect(Math.abs(left - (1 - 1 / n) ** n)).toBeLessThan(0.01) // its standard deviation is 0.0022
  })

  it('samples every example with the same probability', () => {
    const counts = new Array<number>(20).fill(0)
    for (let seed = 0; seed < 1000; seed++) for (const i of sample(20, seed)) counts[i]!++
    const chiSquare = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
    expect(chiSquare).toBeLessThan(43.8) // the 99.9th percentile for 19 degrees of freedom
  })
})
