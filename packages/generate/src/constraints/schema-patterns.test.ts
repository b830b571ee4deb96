import { describe, expect, it } from '@jest/globals'
import { constrainToSchema } from './constrain-to-schema.js'
import { admits } from './random-walk.test.fixture.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const ends = [2]
const byteLevel = tokenizerOf('byte-level')

describe('the pattern keyword allows the texts that RegExp matches', () => {
  const texts = [
    ...['', 'a', 'b', 'ab', 'ba', 'abc', 'aab', 'foo', 'foobar', 'xfoo', 'bar', 'foo-bar', 'foo.txt', 'foo.md', 'a\nb'],
    ...['-', '_', '{', '{a}', 'a]', ']', 'a-b', 'a:b', '50%', 'a b', '#', '[x]', 'a1', '1.2', '1.2.3', 'main', 'xmain'],
  ]
  it.each([
    // Syntax that JavaScript accepts only without the u flag.
    ...[
      '^[\\w-.]+$',
      '^a\\-b$',
      '^a\\:b$',
      '^\\d+\\%$',
      '^\\{a}$',
      '^{a}$',
      '^a]$',
      '^[^\\]]+]$',
      '\\_',
      '{',
      '^[\\w\\-]*$',
    ],
    // Anchors in groups.
    ...['(^a|b$)', '^(^a$)', '(^$|^a$)', '(^foo|bar)$', '^(?:(a)|(b$))', '(^a)b', 'a(b$|c)', '((^a))', '(a|^$)'],
    // Look-ahead.
    ...['^(?!foo)', '^(?!foo$)', '^(?!foo|bar)[a-z]+$', '(?!foo)[a-z]+', '^(?=.*a)(?=.*b).{2}', 'o(?!b)', '^a(?!.*c$)'],
    ...[
      '^(?!.*\\.txt$).+$',
      'a(?=b)',
      '^(?=a)(?!ab)|x',
      '^(?!main$)(?!a)',
      '^(?!^a)',
      '(?=$)',
      '^(?!)',
      '^(?!a(?:b|$))',
    ],
  ])('%s', (pattern) => {
    const isU = ((): boolean => {
      try {
        return new RegExp(pattern, 'u').test('') || true
      } catch {
        return false
      }
    })()
    const expression = new RegExp(pattern, isU ? 'u' : '')
    const constraint = constrainToSchema({ anyOf: [{ type: 'string', pattern }, { type: 'null' }] }, byteLevel, ends)
    for (const text of texts)
      expect([text, admits(constraint, ends, byteLevel.encode(JSON.stringify(text)).ids)]).toEqual([
        text,
        expression.test(text),
      ])
  })

  it.each([
    ['a^', /anchor/],
    ['(a^|b)', /anchor/],
    ['(^a)+', /repeated group/],
    ['x(^a)', /anchor in a group/],
    ['(?:(?!a)b)*', /look-ahead \(\?!/],
    ['x(?!^a)', /look-ahead/],
    ['(?<=a)b', /look-behind \(\?<=/],
    ['(?<!a)b', /look-behind \(\?<!/],
    ['\\bfoo', /word boundary/],
    ['\\Afoo', /escape \\A/],
  ])('refuses %s by name', (pattern, why) => {
    expect(() => constrainToSchema({ type: 'string', pattern }, byteLevel, ends)).toThrow(
      expect.objectContaining({ code: 'BAD_PATTERN', problem: expect.stringMatching(why) as never }),
    )
  })
})
