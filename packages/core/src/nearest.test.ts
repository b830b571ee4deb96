import { describe, expect, it } from '@jest/globals'
import { editDistance, nearest } from './nearest.js'
import { key, stream } from './random.js'

describe('editDistance', () => {
  // Textbook pairs with their distances: Wagner and Fischer's four operations, each of cost 1.
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['saturday', 'sunday', 3],
    ['intention', 'execution', 5],
    ['form', 'from', 1],
    ['ca', 'abc', 3],
  ])('returns the distance between %p and %p, %p', (a, b, distance) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance])
  })

  it('returns the same distance up to a limit, and Infinity beyond', () => {
    const random = stream(key(5))
    const word = (): string =>
      Array.from({ length: Math.floor(random() * 9) }, () => 'abc'[Math.floor(random() * 3)]).join('')
    for (let i = 0; i < 5000; i++) {
      const [a, b, most] = [word(), word(), Math.floor(random() * 6)]
      const distance = editDistance(a, b)
      expect([a, b, most, editDistance(a, b, most)]).toEqual([a, b, most, distance <= most ? distance : Infinity])
    }
  })
})

describe('nearest', () => {
  const names = ['adam', 'adamw', 'sgd', 'rmsprop', 'adafactor', 'sequence-classification']

  it('finds typing errors, transposed letters and prefixes', () => {
    expect(nearest('adamW', names)[0]).toBe('adamw')
    expect(nearest('adawm', names)).toContain('adamw')
    expect(nearest('gsd', names)).toEqual(['sgd'])
    expect(nearest('rmsprp', names)).toEqual(['rmsprop'])
    expect(nearest('seq', names)).toEqual(['sequence-classification'])
    expect(nearest('sgd-momentum', names)).toEqual(['sgd'])
  })

  it('returns at most three distinct candidates, nearest first, and none that is far', () => {
    expect(nearest('aaaa', ['aaab', 'aaaa', 'aaac', 'aaad', 'aaab'])).toHaveLength(3)
    expect(nearest('aaaa', ['aaab', 'aaaa'])).toEqual(['aaaa', 'aaab'])
    expect(nearest('lion', names)).toEqual([])
    expect(nearest('', names)).toEqual([])
  })

  it('skips expensive comparisons and still finds near words', () => {
    const long = ['a'.repeat(1_000_000), `${'a'.repeat(999_999)}b`]
    const names = [...long, 'adam', ...Array.from({ length: 5000 }, (_, i) => 'b'.repeat(2000) + String(i))]
    const before = process.cpuUsage().user
    expect(nearest('adma', names)).toEqual(['adam'])
    expect(nearest('c'.repeat(1_000_000), names)).toHaveLength(0)
    expect(nearest('c'.repeat(2000), names)).toHaveLength(0)
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(5)
  })
})
