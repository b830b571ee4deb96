import { describe, expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import { tinyTokenizer } from '@attune/testkit'
import { admits, randomWalk, textAfter } from './random-walk.test.fixture.js'
import { requireKeywords } from './require-keywords.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ends = [2]
const byteLevel = tokenizerOf('byte-level')
const LISTS: readonly (readonly string[])[] = [
  ['library'],
  ['tools', 'image', 'format'],
  ['abc', 'bcd', 'cde', 'abcde', 'e'],
  ['aab', 'ab', 'aaab', 'baa'],
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p'],
]
const STRANGE: readonly (readonly string[])[] = [
  ['日本語', 'é', '😀😁'],
  [' word', '\n', '{"a":1}'],
]

describe.each(['byte-level', 'wordpiece', 'metaspace', 'fallback'])(
  'requireKeywords with the vocabulary %s',
  (name) => {
    const tokenizer = tokenizerOf(name)
    const word = ['A', 'a', '▁a'].map((token) => tokenizer.id(token)).find((id) => id !== undefined)!
    const lists = name === 'byte-level' || name === 'fallback' ? [...LISTS, ...STRANGE] : LISTS

    it.each(lists.map((words) => [words]))('generates all keywords within the limit: %j', (words) => {
      const constraint = requireKeywords(words, tokenizer, ends)
      const longest = words.reduce((sum, each) => sum + new TextEncoder().encode(each).length, 0)
      for (let i = 0; i < 30; i++) {
        const random = stream(deriveKey(key(1), i))
        const room = longest + Math.floor(random() * 20)
        const text = textAfter(tokenizer, word, randomWalk(constraint, ends, room, random))
        expect([text, words.filter((each) => !text.includes(each))]).toEqual([text, []])
        expect(text).not.toContain('\ufffd')
      }
    })
  },
)

describe('requireKeywords', () => {
  it('allows every token but the end token while there is room', () => {
    const constraint = requireKeywords(['cat'], tinyTokenizer(), [3])
    const allowed = constraint.allowed(0, 10)
    expect([...allowed.slice(0, 4)]).toEqual([0, 0, 0, 0])
    expect(allowed.slice(4).every((one) => one === 1)).toBe(true)
  })

  it('forces the missing keywords when no other tokens fit', () => {
    const tiny = tinyTokenizer()
    const constraint = requireKeywords(['ab', 'xyz'], tiny, [3])
    const letters = (state: number, remaining: number): string =>
      tiny.decode([...constraint.allowed(state, remaining)].flatMap((one, id) => (one === 1 ? [id] : [])))
    const after = (text: string): number =>
      Array.from(text).reduce((state, letter) => constraint.next(state, tiny.id(letter)!), 0)
    expect(letters(0, 6).length).toBeGreaterThan(90)
    expect(letters(0, 5)).toBe('ax')
    expect(letters(after('a'), 4)).toBe('b')
    expect(letters(after('ab'), 3)).toBe('x')
    expect(letters(after('xy'), 3)).toBe('z')
    expect(letters(after('xya'), 4)).toBe('b')
    expect(letters(after('xyab'), 3)).toBe('x')
    expect(letters(after('abxyz'), 1).length).toBeGreaterThan(90)
    expect(constraint.allowed(after('abxyz'), 1)[3]).toBe(1)
    expect(constraint.allowed(after('abxy'), 1)[3]).toBe(0)
  })

  it('allows keywords to overlap and to be part of other words', () => {
    const constraint = requireKeywords(['information', 'format', 'nation'], byteLevel, ends)
    const after = (text: string): boolean => admits(constraint, ends, byteLevel.encode(text).ids)
    expect([after('the information'), after('informationation'), after('nation of information')]).toEqual([
      false,
      true,
      true,
    ])
  })

  it('allows no partial characters at the end', () => {
    const constraint = requireKeywords(['é'], byteLevel, ends)
    const [first, second] = byteLevel.encode('\u07ff').ids as [number, number]
    const word = byteLevel.encode('é').ids
    const state = [...word, first].reduce((at, id) => constraint.next(at, id), 0)
    expect(constraint.allowed(state, 5)[ends[0]!]).toBe(0)
    expect(constraint.allowed(constraint.next(state, second), 5)[ends[0]!]).toBe(1)
  })

  it('rejects invalid keywords, too many, and those that the vocabulary cannot spell', () => {
    const code = (code: string): never => expect.objectContaining({ code }) as never
    expect(() => requireKeywords([], byteLevel, ends)).toThrow(code('BAD_ARGUMENT'))
    expect(() =>
      requireKeywords(
        Array.from({ length: 17 }, (_, i) => `w${i}`),
        byteLevel,
        ends,
      ),
    ).toThrow(code('BAD_ARGUMENT'))
    for (const word of ['', '\ud800', 'x'.repeat(300)])
      expect(() => requireKeywords(['a', word], byteLevel, ends)).toThrow(code('BAD_ARGUMENT'))
    expect(() => requireKeywords(['a'], byteLevel, [-1])).toThrow(code('BAD_ARGUMENT'))
    expect(() => requireKeywords(['a', 'é'], tinyTokenizer(), [3])).toThrow(code('NOT_SPELLABLE'))
  })
})
