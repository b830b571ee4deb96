import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { matches, regularExpression } from './regular-expression.js'

/** A random element of a list. */
const among = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)]!

const PATTERNS = [
  ...['', 'a', 'abc', 'a|b', 'ab|cd|', 'a*', 'a+b?', '(ab)*c', '(?:a|bc)+', '(?<name>a)b', 'a{3}', 'a{2,}', 'a{0,3}b'],
  ...[
    '[abc]+',
    '[^abc]+',
    '[a-c0-2]*',
    '[]',
    '[^]',
    '[^]*b',
    '[\\]a-]',
    '[-a]',
    '[a-]',
    '[\\d\\-x]*',
    '[^\\d\\s]+',
    '.*',
    '.',
  ],
  ...[
    '\\d+',
    '\\D\\d',
    '\\w+\\W?',
    '\\s\\S',
    '\\t|\\n|\\v|\\f|\\r',
    '\\u00e9',
    '\\u{1f600}+',
    '\\ud83d\\ude00',
    '\\x41',
    '\\0',
    '\\cA',
  ],
  ...[
    '^a',
    'a$',
    '^ab$',
    '^a|b$',
    '^$',
    'a*?b',
    'a+?',
    'a??b',
    'a{1,2}?',
    '(a|ab)(c|bcd)(d*)',
    '(a*)*b',
    '(a*b*)*',
    '((a|b)?c)*',
  ],
  ...[
    'é|ß',
    '[à-ÿ]+',
    '[^à-ÿ]',
    '[😀-😎]+',
    '[\u0800-\ud7ff]',
    '[\\u{10000}-\\u{10ffff}]',
    '[a-😀]*',
    '日本|[日-本]',
    '(?:){9999999}a',
  ],
  ...[
    '(a{0}|b)*',
    '(|a)+b',
    '(a|b)*a(a|b){3}',
    '\\/\\.\\*\\$\\^',
    '[.*$^(]+',
    '[\\b]',
    '(?:a?){6}a{3}',
    'x*(?:y|$Z)'.replace('$', '\\$'),
  ],
]
const LETTERS = [
  ...'aabbccdABCxyZ012-_]^.*$( \t\n\r\v\f\0\b\u0001/éßàÿ日本時😀😁😎😟\u2028\u00a0\ufeff\u07ff\u0800\ud7ff\ue000\uffff𐀀\u{10ffff}',
]

describe('regularExpression', () => {
  it('matches exactly the texts that RegExp matches as a whole', () => {
    const random = stream(key(1))
    let matched = 0
    for (const pattern of PATTERNS) {
      const [ours, theirs] = [regularExpression(pattern), new RegExp(`^(?:${pattern})$`, 'u')]
      const texts = [
        '',
        ...Array.from({ length: 300 }, (_, i) => {
          const few = i % 3 === 0 ? LETTERS : [...'abcd']
          return Array.from({ length: Math.floor(random() * 7) }, () => among(random, few)).join('')
        }),
      ]
      for (const text of texts) {
        const expected = theirs.test(text)
        if (expected) matched++
        expect([pattern, text, matches(ours, text)]).toEqual([pattern, text, expected])
      }
    }
    expect(matched).toBeGreaterThan(1000)
  })

  it('agrees with RegExp on random expressions', () => {
    const random = stream(key(2))
    const made = (depth: number): string => {
      const kind = depth === 0 ? 0 : Math.floor(random() * 6)
      if (kind === 1) return `${made(depth - 1)}${made(depth - 1)}`
      if (kind === 2) return `(?:${made(depth - 1)}|${made(depth - 1)})`
      if (kind === 3)
        return `(${made(depth - 1)})${among(random, ['*', '+', '?', '{2}', '{1,}', '{0,2}', '{2,3}', '*?'])}`
      return among(random, ['a', 'b', 'é', '😀', '[ab]', '[^a]', '.', '\\w', '[^😀]', ''])
    }
    for (let i = 0; i < 400; i++) {
      const pattern = made(4)
      const [ours, theirs] = [regularExpression(pattern), new RegExp(`^(?:${pattern})$`, 'u')]
      for (let j = 0; j < 30; j++) {
        const text = Array.from({ length: Math.floor(random() * 6) }, () => among(random, [...'aab bé😀'])).join('')
        expect([pattern, text, matches(ours, text)]).toEqual([pattern, text, theirs.test(text)])
      }
    }
  })

  it('accepts valid UTF-8 and nothing else', () => {
    const any = regularExpression('[^]')
    for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 97)
      if (point < 0xd800 || point > 0xdfff) expect(matches(any, String.fromCodePoint(point))).toBe(true)
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const random = stream(key(3))
    const edges = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xf0, 0xf1, 0xf4, 0xf5,
    ]
    const all = regularExpression('[^]*')
    for (let i = 0; i < 5000; i++) {
      const bytes = Uint8Array.from({ length: 1 + Math.floor(random() * 5) }, () => among(random, edges))
      const state = bytes.reduce((at, byte) => (at < 0 ? at : all.next(at, byte)), 0)
      let valid = true
      try {
        decoder.decode(bytes)
      } catch {
        valid = false
      }
      expect([...bytes, state >= 0 && all.accepts(state)]).toEqual([...bytes, valid])
    }
  })

  it('never enters a state from which nothing can match', () => {
    const automaton = regularExpression('a[]|ab(?:c|[])|\\ud800x')
    expect(automaton.next(0, 0xed)).toBe(-1)
    const [b, c] = [automaton.next(automaton.next(0, 97), 98), 99]
    expect(automaton.next(b, c)).toBeGreaterThan(0)
    expect(automaton.next(automaton.next(0, 97), c)).toBe(-1)
    const late = regularExpression('a(?:bx[]|cx)')
    expect(late.next(late.next(0, 97), 98)).toBe(-1)
    expect(late.next(late.next(0, 97), 99)).toBeGreaterThan(0)
  })

  it('rejects unsupported syntax with its index', () => {
    const refused: readonly (readonly [string, string | RegExp])[] = [
      ['ab(?=c)', /look-ahead \(\?=.* at 2 /],
      ['(?!c)', /look-ahead/],
      ['(?<=c)', /look-behind/],
      ['a(?<!c)', /look-behind.* at 1 /],
      ['(a)\\1', /back-reference \\1.* at 3 /],
      ['(?<n>a)\\k<n>', /back-reference \\k/],
      ['\\bword', /word boundary \\b.* at 0 /],
      ['\\p{L}', /property \\p/],
      ['(?i:a)', /group \(\?i/],
      ['a^b', /anchor \^/],
      ['(a$)', /anchor \$/],
      ['*a', /nothing before \*/],
      ['a**', /nothing before \*/],
      ['a{2', /nothing before \{/],
      ['a}', /\} must be escaped/],
      ['(a', /must end with \)/],
      ['a)', /no matching \(/],
      ['[a', /must end with \]/],
      ['[b-a]', /ascending order/],
      ['[\\d-z]', /from one character/],
      ['a{3,2}', /must not exceed/],
      ['\\', /backslash/],
      ['\\u12', /four hexadecimal/],
      ['\\u{110000}', /10FFFF/],
      ['\\q', /escape \\q/],
      ['('.repeat(300), /nested/],
    ]
    for (const [pattern, why] of refused)
      expect(() => regularExpression(pattern)).toThrow(
        expect.objectContaining({ code: 'BAD_PATTERN', problem: expect.stringMatching(why) as never }),
      )
  })

  it('rejects patterns that exceed the memory limit, quickly, at the latest while they are read', () => {
    for (const pattern of [
      'a{1000000}',
      '(a{1000}){1000}',
      '((a?){1000}){1000}',
      '(?:(?:[^]{99}){99}){99}',
      'a{1,999999}',
    ])
      expect(() => {
        const automaton = regularExpression(pattern)
        for (let i = 0, state = 0; i < 200_000; i++) state = automaton.next(state, 97)
      }).toThrow(expect.objectContaining({ code: 'PATTERN_TOO_LARGE' }))
    const doubling = regularExpression('(a|b)*a(a|b){25}')
    const random = stream(key(4))
    const write = (): void => {
      for (let i = 0, state = 0; i < 200_000; i++) state = doubling.next(state, random() < 0.5 ? 97 : 98)
    }
    expect(write).toThrow(expect.objectContaining({ code: 'PATTERN_TOO_LARGE' }))
  })
})
