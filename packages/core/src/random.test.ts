import { describe, expect, it } from '@jest/globals'
import { deriveKey, key, normals, shuffled, stream, threefry } from './random.js'

describe('threefry', () => {
  // Known-answer tests of Random123 (kat_vectors, threefry2x32 20).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)('maps key %p and counter %p to %p', (k, counter, expected) => {
    expect(threefry(k, counter)).toEqual(expected)
  })
})

describe('deriveKey', () => {
  it('distinguishes names, numbers and their order', () => {
    const keys = [
      deriveKey(key(1)),
      deriveKey(key(1), 'a'),
      deriveKey(key(1), 'b'),
      deriveKey(key(1), 'a', 1),
      deriveKey(key(1), 1, 'a'),
      key(2),
    ]
    expect(new Set(keys.map(String)).size).toBe(keys.length)
  })
})

describe('stream', () => {
  it('passes a chi-squared test for uniformity in [0, 1)', () => {
    const random = stream(key(3))
    const values = Array.from({ length: 100_000 }, random)
    expect(Math.min(...values.slice(0, 5000))).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values.slice(0, 5000))).toBeLessThan(1)
    const bins = new Array<number>(20).fill(0)
    for (const value of values) bins[Math.floor(value * 20)]!++
    const chiSquare = bins.reduce((sum, n) => sum + (n - 5000) ** 2 / 5000, 0)
    expect(chiSquare).toBeLessThan(43.8) // the 99.9th percentile for 19 degrees of freedom
  })

  it('yields normal numbers of mean 0 and variance 1 through `normals`', () => {
    const next = normals(stream(key(4)))
    const values = Array.from({ length: 100_000 }, next)
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.012)
    expect(Math.abs(variance - 1)).toBeLessThan(0.018)
  })
})

describe('shuffled', () => {
  it('keeps every item, does not modify its argument, and repeats for the same key', () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const once = shuffled(items, stream(key(5)))
    expect(items).toEqual([...once].sort((a, b) => a - b))
    expect(once).not.toEqual(items)
    expect(shuffled(items, stream(key(5)))).toEqual(once)
  })
})
