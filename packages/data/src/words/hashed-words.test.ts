import { describe, expect, it } from '@jest/globals'
import { hashedWords } from './hashed-words.js'

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

describe('hashedWords', () => {
  it('has the cosine similarities of the unhashed terms if no terms collide', () => {
    const [a, b] = [hashedWords(['x', 'y'], 2 ** 20), hashedWords(['x', 'z', 'z'], 2 ** 20)]
    expect(dot(a, a)).toBeCloseTo(1, 12)
    // terms x, y, "x y" against x, z twice, "x z", "z z"
    const [one, two] = [Math.log(2), Math.log(3)]
    expect(dot(a, b)).toBeCloseTo(one ** 2 / (Math.sqrt(3 * one ** 2) * Math.sqrt(3 * one ** 2 + two ** 2)), 12)
  })

  it('distinguishes the order of words', () => {
    expect(hashedWords(['a', 'b'])).not.toEqual(hashedWords(['b', 'a']))
  })

  it('returns zeros for a text without words', () => {
    expect([...hashedWords([], 4)]).toEqual([0, 0, 0, 0])
  })
})
