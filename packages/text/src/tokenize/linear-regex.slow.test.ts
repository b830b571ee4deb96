import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { aligned } from './aligned-text.js'
import { characterSets } from './character-sets.js'
import type { Expression } from './expression.js'
import { linearExpression } from './linear-regex.js'
import { expressionOf, isKnownExpression } from './patterns.js'
import { split } from './split.js'
import { workOnText } from './work.js'

const read = (name: string): unknown => JSON.parse(gunzipSync(readFileSync(`golden/${name}.json.gz`)).toString())
const texts = (read('hard-texts') as string[]).map((text) => text.toWellFormed())
const golden = read('splits') as {
  readonly source: string
  readonly cases: readonly { readonly name: string; readonly expression: string; readonly lengths: number[][] }[]
}
const linear = (source: string): Expression => {
  const found = linearExpression(source, characterSets())
  if ('refused' in found) throw new Error(found.refused)
  return found
}
const lengthsOf = (text: string, expression: Expression): number[] => {
  const lengths: number[] = []
  split(aligned(text, 0), expression, { behavior: 'Isolated' }, workOnText('x', text), (word) =>
    lengths.push(word.text.length),
  )
  return lengths
}

describe.each(golden.cases.map(({ name, ...rest }) => [name, rest] as const))('the split of %s', (_, each) => {
  const { expression, lengths } = each
  const check = (made: Expression) => {
    for (const [i, text] of texts.entries()) expect([text, lengthsOf(text, made)]).toEqual([text, lengths[i]])
  }

  it(`matches ${golden.source} for ${texts.length} texts`, () => check(linear(expression)))
  if (isKnownExpression(expression))
    it('matches on the JavaScript regular expression', () =>
      check(expressionOf({ Regex: expression }, characterSets())))
})

describe('linearExpression', () => {
  const found = (source: string, text: string, work = workOnText('x', text)): string[] => {
    const matches: string[] = []
    linear(source).each(text, work, (start, end) => matches.push(`${start}:${text.slice(start, end)}`))
    return matches
  }

  it.each(['(?:a+)+x', '(a|aa)+b', '(a|b|ab)*c|a{1,100}d', 'a*a*a*a*a*b', '.*.*.*x', 'a++b', '(?:a*?){0,50}b'])(
    '%s takes steps proportional to the text, without catastrophic backtracking',
    (source) => {
      const [short, long] = [1000, 2000].map((length) => {
        const text = 'a'.repeat(length)
        // A budget with room for expressions of hundreds of steps.
        const work = workOnText('x', text.repeat(10))
        expect(found(source, text, work)).toEqual([])
        return work.steps()
      })
      expect(long! / short!).toBeLessThan(2.1)
    },
  )

  it('prefers the first alternative and the longest repetition, and continues after a match', () => {
    expect(found('a|ab', 'abab')).toEqual(['0:a', '2:a'])
    expect(found('ab|a', 'aba')).toEqual(['0:ab', '2:a'])
    expect(found('a*', 'baab')).toEqual(['1:aa'])
    expect(found('(?:a|b)+?b', 'aabb')).toEqual(['0:aab'])
    expect(found('\\s*[\\n]+', '  \n  x')).toEqual(['0:  \n'])
    expect(found('😀+|.', '😀😀é')).toEqual(['0:😀😀', '4:é'])
  })

  it.each([
    ['(a', 'ends'],
    ['a)', 'bracket'],
    ['[a', 'ends'],
    ['*a', 'nothing to repeat'],
    ['(?<=a)b', 'kind of group'],
    ['(?i)a', 'kind of group'],
    ['(a)\\1', 'escape'],
    ['\\bword', 'escape'],
    ['[[:alpha:]]', 'nested character classes'],
    ['[a-z&&[^b]]', 'nested character classes'],
    ['(?=ab)', 'more than one character'],
    ['(?i:é)', 'case'],
    ['\\p{Emoji}', 'property'],
    ['a{1,1000}', ''],
    ['(?:a{1,100}){1,100}', 'too long'],
    ['(?:a?)*', 'without limit'],
    ['(?:ab)++', 'a group'],
    [`${'('.repeat(50)}a${')'.repeat(50)}`, 'nests groups'],
    ['[z-a]', 'range'],
    ['a\\', 'ends'],
  ])('%s is rejected, or matches literally', (source, why) => {
    const made = linearExpression(source, characterSets())
    if (why === '') expect(found(source, 'a{1,1000}')).toEqual(['0:a{1,1000}'])
    else expect(made).toEqual({ refused: expect.stringContaining(why) })
  })
})
