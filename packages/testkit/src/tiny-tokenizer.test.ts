import { describe, expect, it } from '@jest/globals'
import { tinyTokenizer } from './tiny-tokenizer.js'

const tokenizer = tinyTokenizer()

describe('tinyTokenizer', () => {
  it('encodes a letter as a token, between a beginning and an end, and decodes it', () => {
    expect(tokenizer.encode('ab').ids).toEqual([2, 69, 70, 3])
    expect(tokenizer.decode(tokenizer.encode('Any text, ~ or not?').ids)).toBe('Any text, ~ or not?')
    expect(tokenizer.encode('日').ids).toEqual([2, 1, 3])
    expect(Math.max(...tokenizer.encode('~ }').ids)).toBe(tokenizer.vocabularySize - 1)
  })

  it('tells a pair apart by type, and cuts the longer first', () => {
    expect(tokenizer.encode('ab', { pair: 'c' })).toEqual({
      ids: [2, 69, 70, 3, 71, 3],
      typeIds: [0, 0, 0, 0, 1, 1],
      truncated: false,
    })
    const cut = tokenizer.encode('abcdef', { pair: 'gh', maximumLength: 7 })
    expect([tokenizer.decode(cut.ids), cut.ids.length, cut.truncated]).toEqual(['abgh', 7, true])
  })

  it('says where its tokens stand', () => {
    const { offsets, specialMask } = tokenizer.encode('abc', { pair: 'd', maximumLength: 6, offsets: true })
    expect(offsets).toEqual([[0, 0], [0, 1], [1, 2], [0, 0], [0, 1], [0, 0]]) // prettier-ignore
    expect(specialMask).toEqual([1, 0, 0, 1, 0, 1])
  })

  it('names its tokens', () => {
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
