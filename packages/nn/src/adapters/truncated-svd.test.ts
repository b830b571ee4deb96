import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { truncatedSvd } from './truncated-svd.js'

interface Case {
  readonly name: string
  readonly rows: number
  readonly columns: number
  readonly rank: number
  readonly matrix: readonly number[]
  readonly values: readonly number[]
  readonly product: readonly number[]
}
const golden = JSON.parse(readFileSync('golden/numpy-svd.json', 'utf8')) as { source: string; cases: readonly Case[] }

const furthest = (found: readonly number[], expected: readonly number[]): number =>
  Math.max(...expected.map((x, i) => Math.abs(x - found[i]!)))

describe('truncatedSvd', () => {
  it.each(golden.cases)(
    `matches ${golden.source} within 1e-8: $name`,
    ({ rows, columns, rank, matrix, ...expected }) => {
      const { values, left, right } = truncatedSvd({ rows, columns, values: matrix }, rank)
      expect(values).toHaveLength(rank)
      expect(furthest(values, expected.values)).toBeLessThan(1e-8)
      const product = matrix.map((_, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns]
        return values.reduce((sum, value, k) => sum + value * left[k]![i]! * right[k]![j]!, 0)
      })
      expect(furthest(product, expected.product)).toBeLessThan(1e-8)
    },
  )

  it('makes the largest component of each right vector positive, so that the signs are determined', () => {
    const { rows, columns, matrix, rank } = golden.cases[0]!
    for (const vector of truncatedSvd({ rows, columns, values: matrix }, rank).right)
      expect([...vector].sort((a, b) => Math.abs(b) - Math.abs(a))[0]).toBeGreaterThan(0)
  })
})
