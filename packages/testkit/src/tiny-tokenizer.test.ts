import { describe, expect, it } from '@jest/globals'
import { tinyTokenizer } from './tiny-tokenizer.js'

const tokenizer = tinyTokenizer()

describe('tinyTokenizer', () => {
  it('encodes each character as one token between begin and end tokens, and decodes it', () => {
    expect(tokenizer.encode('ab').ids).toEqual([2, 69, 70, 3])
    expect(tokenizer.decode(tokenizer.encode('Any text, ~ or not?').ids)).toBe('Any text, ~ or not?')
    expect(tokenizer.encode('日').ids).toEqual([2, 1, 3])
    expect(Math.max(...tokenizer.encode('~ }').ids)).toBe(tokenizer.vocabularySize - 1)
  })

  it('distinguishes the texts of a pair by type id, and truncates the longer one first', () => {
    expect(tokenizer.encode('ab', { pair: 'c' })).toEqual({
      ids: [2, 69, 70, 3, 71, 3],
      typeIds: [0, 0, 0, 0, 1, 1],
      truncated: false,
    })
    const shortened = tokenizer.encode('abcdef', { pair: 'gh', maximumLength: 7 })
    expect([tokenizer.decode(shortened.ids), shortened.ids.length, shortened.truncated]).toEqual(['abgh', 7, true])
  })

  it('returns the offsets of its tokens', () => {
    const { offsets, specialMask } = tokenizer.encode('abc', { pair: 'd', maximumLength: 6, offsets: true })
    expect(offsets).toEqual([[0, 0], [0, 1], [1, 2], [0, 0], [0, 1], [0, 0]]) // prettier-ignore
    expect(specialMask).toEqual([1, 0, 0, 1, 0, 1])
  })

  it('maps ids to tokens', () => {
    expect([0, 1, 2, 3, 4, 69, 98, 99, -1].map((id) => tokenizer.token(id))).toEqual([
      '[pad]',
      '[unknown]',
      '[begin]',
      '[end]',
      ' ',
      'a',
      '~',
      undefined,
      undefined,
    ])
  })
})
