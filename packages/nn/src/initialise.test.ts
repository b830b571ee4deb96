import { describe, expect, it } from '@jest/globals'
import { filled, requireRoom } from './initialise.js'

describe('the room that weights need', () => {
  const refusal = (problem: string) =>
    expect.objectContaining({ code: 'MODEL_TOO_LARGE', problem: expect.stringContaining(problem) })

  it('is asked for before anything is made, of one tensor and of all', () => {
    expect(() => filled([2 ** 16, 2 ** 16], 0)).toThrow(refusal('[65536, 65536]'))
    expect(() => requireRoom({ small: [3], large: [2 ** 31] })).toThrow(refusal('[2147483648]'))
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`${i}`, [2 ** 15, 2 ** 15]]))
    expect(() => requireRoom(many)).toThrow(refusal('1.39e+11'))
  })

  it('is there for what is no larger, whose shapes come back', () => {
    const shapes = { large: [2 ** 31 - 1], empty: [0, 7], one: [] }
    expect(requireRoom(shapes)).toBe(shapes)
  })
})
