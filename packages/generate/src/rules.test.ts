import { describe, expect, it } from '@jest/globals'
import { generationOptions } from './options.js'
import { applyRules, forbidRepeatedNgrams, forbidBadWords } from './rules.js'

const logits = (size = 8): Float32Array => new Float32Array(size).fill(1)
const forbidden = (values: Float32Array): number[] => Array.from(values.keys()).filter((id) => values[id] === -Infinity)

describe('applyRules: forbidden tokens', () => {
  it.each([
    [[1, 2, 3, 1, 2], 3, [3]],
    [[1, 2, 3, 1, 2], 2, [3]],
    [[1, 2, 1, 3, 1], 2, [2, 3]],
    [[4, 4], 1, [4]],
    [[1, 2], 3, []],
    [[1, 2, 1], 0, []],
  ])('after %p, with unique %i-grams, forbids %p', (text, size, expected) => {
    const values = logits()
    forbidRepeatedNgrams(values, text, size)
    expect(forbidden(values)).toEqual(expected)
  })

  it('forbids the last token of a bad word after its beginning, but not an end token alone', () => {
    const values = logits()
    forbidBadWords(values, [5, 1, 2], [[3], [1, 2, 4], [2, 2, 5], [2, 1], [7], [99], [5, 1, 2, 6]], new Set([7]))
    expect(forbidden(values)).toEqual([1, 3, 4])
  })
})

describe('applyRules: forced tokens', () => {
  const ends = new Set([7])
  const rules = (prompt: number[], generated: number[], given: object, allowed?: Uint8Array) => {
    const values = logits()
    applyRules(values, { prompt, generated, room: 3 }, ends, generationOptions.parse(given), allowed)
    return values
  }
  const left = (values: Float32Array): number[] => Array.from(values.keys()).filter((id) => values[id]! > -Infinity)

  it('forces the first token after the start token, and an end token at the length limit', () => {
    const given = { forcedBosTokenId: 4, forcedEosTokenIds: [6, 7] }
    expect(left(rules([0], [], given))).toEqual([4])
    expect(left(rules([0, 1], [], given))).toHaveLength(8)
    expect(left(rules([0], [4, 1], given))).toEqual([6, 7])
    expect(rules([0], [4, 1], given)[6]).toBe(0)
  })

  it('yields to a constraint, and overrides a minimum length', () => {
    const onlyOne = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0)
    expect(left(rules([0], [4, 1], { forcedEosTokenIds: [7] }, onlyOne))).toHaveLength(8)
    expect(left(rules([0], [4, 1], { forcedEosTokenIds: [7], minimumNewTokens: 9 }))).toEqual([7])
    expect(forbidden(rules([0, 0], [1], { minimumLength: 4 }))).toEqual([7])
    expect(forbidden(rules([0, 0], [1], { minimumLength: 3 }))).toEqual([])
  })
})
