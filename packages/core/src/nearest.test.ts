import { describe, expect, it } from '@jest/globals'
import { editDistance, nearest } from './nearest.js'

describe('editDistance', () => {
  // Pairs with their distances as they stand in textbooks: Wagner and Fischer's four operations, each of cost 1.
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['saturday', 'sunday', 3],
    ['intention', 'execution', 5],
    ['form', 'from', 1],
    ['ca', 'abc', 3],
  ])('of %p and %p is %p', (a, b, distance) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance])
  })
})

describe('nearest', () => {
  const names = ['adam', 'adamw', 'sgd', 'rmsprop', 'adafactor', 'sequence-classification']

  it('finds slips of the finger, letters swapped, and names begun', () => {
    expect(nearest('adamW', names)[0]).toBe('adamw')
    expect(nearest('adawm', names)).toContain('adamw')
    expect(nearest('gsd', names)).toEqual(['sgd'])
    expect(nearest('rmsprp', names)).toEqual(['rmsprop'])
    expect(nearest('seq', names)).toEqual(['sequence-classification'])
    expect(nearest('sgd-momentum', names)).toEqual(['sgd'])
  })

  it('gives at most three, the nearest first, each once, and none that is far', () => {
    expect(nearest('aaaa', ['aaab', 'aaaa', 'aaac', 'aaad', 'aaab'])).toHaveLength(3)
    expect(nearest('aaaa', ['aaab', 'aaaa'])).toEqual(['aaaa', 'aaab'])
    expect(nearest('lion', names)).toEqual([])
    expect(nearest('', names)).toEqual([])
  })
})
