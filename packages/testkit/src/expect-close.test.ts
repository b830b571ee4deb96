import { describe, expect, it } from '@jest/globals'
import { expectClose, largestDifference } from './expect-close.js'
import { floats } from './host-array.js'

describe('largestDifference', () => {
  it('is absolute up to 1 and relative beyond, and infinite if values cannot be compared', () => {
    expect(largestDifference([0, 0.5], [0, 0.25])).toBe(0.25)
    expect(largestDifference([110], [100])).toBeCloseTo(0.1)
    expect(largestDifference([1, NaN, 1], [1, 1, 1])).toBe(Infinity)
    expect(largestDifference([1], [1, 2])).toBe(Infinity)
    expect(largestDifference([], [])).toBe(0)
  })
})

describe('expectClose', () => {
  const tree = { a: floats([1, 2]), b: { c: floats([3]) } }
  it.each([
    ['a wrong value', { ...tree, a: floats([1, 2.1]) }, /"a" differs by 0\.0[45]/],
    ['a missing leaf', { a: tree.a }, /"b\/c" is missing/],
    ['an unexpected leaf', { ...tree, d: floats([1]) }, /unexpected d/],
    ['another shape', { ...tree, a: floats([1, 2], [1, 2]) }, /"a" has shape \[1, 2\], expected \[2\]/],
  ])('throws for %s with its path', (_, actual, message) => {
    expect(() => expectClose(actual, tree, 1e-3)).toThrow(message)
  })

  it('accepts differences within the tolerance', () => {
    expectClose({ ...tree, a: floats([1.0005, 2]) }, tree, 1e-3)
  })
})
