import { describe, expect, it } from '@jest/globals'
import { deriveKey, key, stream } from '@attune/core'
import { tinyTokenizer } from '@attune/testkit'
import { constrainToPattern } from './constrain-to-pattern.js'
import { admits, randomWalk, textAfter } from './random-walk.test.fixture.js'
import { tokenBytes } from './token-bytes.js'
import { tokenizerOf } from './vocabulary.test.fixture.js'

const PATTERNS = [
  'yes|no|maybe',
  '[a-z]+( [a-z]+){0,3}',
  '\\d{3}-\\d{4}',
  '[a-z]+( [a-z]+)*\\.',
  '(?:a|an|the) [a-z]{2,12}',
  '-?(0|[1-9]\\d*)(\\.\\d+)?',
  '[a-z]{0,40}',
  'x*(?:y{2}|z)',
]
const NAMES = ['byte-level', 'wordpiece', 'metaspace', 'fallback'] as const
const tokenizers = Object.fromEntries(NAMES.map((name) => [name, tokenizerOf(name)]))
const WORD = 'a'

/** Id of a token that precedes the generated ones. */
const wordIn = (name: string): number =>
  tokenizers[name]!.id(name === 'byte-level' ? 'A' : WORD) ?? tokenizers[name]!.id('▁a')!
const ends = [2]
/** Drops the one leading space that vocabularies with a space before each word may generate. */
const meant = (name: string, text: string): string => (name === 'byte-level' ? text : text.replace(/^ /, ''))

describe.each(NAMES)('constrainToPattern with the vocabulary %s', (name) => {
  const tokenizer = tokenizers[name]!
  // WordPiece puts a space around each punctuation mark, so it cannot generate these.
  const spelled = PATTERNS.filter((pattern) => name !== 'wordpiece' || !/-|\\\./.test(pattern))

  it.each(spelled)('generates only matching texts, within the token limit: %s', (pattern) => {
    const constraint = constrainToPattern(pattern, tokenizer, ends)
    const lengths = new Set<number>()
    for (const room of [12, 15, 40])
      for (let i = 0; i < 25; i++) {
        const ids = randomWalk(constraint, ends, room, stream(deriveKey(key(1), room, i)))
        const text = meant(name, textAfter(tokenizer, wordIn(name), ids))
        expect(text).toMatch(new RegExp(`^(?:${pattern})$`, 'u'))
        expect(ids.length).toBeLessThanOrEqual(room)
        lengths.add(ids.length)
      }
    expect(lengths.size).toBeGreaterThan(1)
  })
})

describe('constrainToPattern', () => {
  const tokenizer = tokenizers['byte-level']!

  it('allows every tokenization of a matching text', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['[^]*', 'any text at all\n日本語 😀 é'],
      ['(?:日|本|語)+', '日本語日'],
      ['\\{"name":"[^"]*"\\}', '{"name":"Émile"}'],
      ['[a-z ]+', 'the library that has all of it'],
    ]
    for (const [pattern, text] of cases) {
      const constraint = constrainToPattern(pattern, tokenizer, ends)
      expect(admits(constraint, ends, tokenizer.encode(text).ids)).toBe(true)
      const alone = tokenBytes(tokenizer).map((bytes) => (bytes?.length === 1 ? bytes[0] : undefined))
      const byByte = [...new TextEncoder().encode(text)].map((byte) => alone.indexOf(byte))
      expect(admits(constraint, ends, byByte)).toBe(true)
    }
  })
  it('allows exactly the tokens from which the text can still match', () => {
    const words = ['information', 'informal', 'in 日本', 'in é']
    const constraint = constrainToPattern(words.join('|'), tokenizer, ends)
    const allowed = constraint.allowed(0, Infinity)
    for (let id = 0; id < tokenizer.vocabularySize; id++) {
      const text = tokenizer.decode([id])
      expect([text, allowed[id]]).toEqual([text, text !== '' && words.some((word) => word.startsWith(text)) ? 1 : 0])
    }
  })

  it('allows one leading space if the vocabulary puts a space before each word', () => {
    for (const name of ['wordpiece', 'metaspace', 'fallback']) {
      const { ids } = tokenizers[name]!.encode('the')
      expect([name, admits(constrainToPattern('the', tokenizers[name]!, ends), ends, ids)]).toEqual([name, true])
      const twice = constrainToPattern('thethe', tokenizers[name]!, ends)
      expect([name, admits(twice, ends, [...ids, ...ids])]).toEqual([name, false])
    }
    expect(admits(constrainToPattern('the', tokenizer, ends), ends, tokenizer.encode(' the').ids)).toBe(false)
  })

  it('allows partial characters, and ends only after complete ones', () => {
    const constraint = constrainToPattern('é+', tokenizer, ends)
    const walk = (): readonly number[] => randomWalk(constraint, ends, 9, random)
    const random = stream(key(5))
    const texts = Array.from({ length: 50 }, walk)
    expect(texts.some((ids) => ids.some((id) => tokenizer.decode([id]) === '\ufffd'))).toBe(true)
    for (const ids of texts) expect(tokenizer.decode(ids)).toMatch(/^é+$/)
  })

  it('allows the end token exactly if the text matches', () => {
    const constraint = constrainToPattern('abc?', tinyTokenizer(), [3])
    const id = (letter: string): number => tinyTokenizer().id(letter)!
    const ab = constraint.next(constraint.next(0, id('a')), id('b'))
    expect(constraint.allowed(0, 9)[3]).toBe(0)
    expect([...constraint.allowed(ab, 9)].flatMap((one, at) => (one === 1 ? [at] : []))).toEqual([3, id('c')])
    const abc = constraint.next(ab, id('c'))
    expect([...constraint.allowed(abc, 9)].flatMap((one, at) => (one === 1 ? [at] : []))).toEqual([3])
  })

  it('completes the text within the limit, and does not restrict it earlier', () => {
    const tiny = tinyTokenizer()
    const id = (letter: string): number => tiny.id(letter)!
    const constraint = constrainToPattern('a*bcd', tiny, [3])
    expect(constraint.allowed(0, 4)[id('a')]).toBe(1)
    expect(constraint.allowed(0, 3)[id('a')]).toBe(0)
    expect(constraint.allowed(0, 3)[id('b')]).toBe(1)
    // Too late to complete it: only tokens towards the end.
    expect(constraint.allowed(0, 1)[id('a')]).toBe(0)
    expect(constraint.allowed(0, 1)[id('b')]).toBe(1)
  })

  it('counts tokens, not bytes, to the end', () => {
    const token = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.token(id)!)
    const long = token.findIndex((text, id) => id > 2 && /^[a-z]{6,}$/.test(text))
    const constraint = constrainToPattern(`x*${token[long]!}`, tokenizer, ends)
    expect(constraint.allowed(0, 2)[tokenizer.id('x')!]).toBe(1)
    expect(constraint.allowed(0, 1)[tokenizer.id('x')!]).toBe(0)
    expect(constraint.allowed(0, 1)[long]).toBe(1)
  })

  it('avoids states that the vocabulary cannot complete', () => {
    const constraint = constrainToPattern('ab|aé|aa', tinyTokenizer(), [3])
    const a = tinyTokenizer().id('a')!
    expect([...constraint.allowed(constraint.next(0, a), 9)].filter((one) => one === 1)).toHaveLength(2)
    const onlyA = constrainToPattern('éa|a', tinyTokenizer(), [3])
    expect([...onlyA.allowed(0, 9)].flatMap((one, at) => (one === 1 ? [at] : []))).toEqual([a])
  })

  it('rejects patterns that the vocabulary cannot match, bad patterns, bad end tokens and tokens that are not allowed', () => {
    const code = (code: string): never => expect.objectContaining({ code }) as never
    expect(() => constrainToPattern('é', tinyTokenizer(), [3])).toThrow(code('NOT_SPELLABLE'))
    expect(() => constrainToPattern('a[]', tinyTokenizer(), [3])).toThrow(code('NOT_SPELLABLE'))
    // The last id would need a token mask of gigabytes.
    for (const ids of [[-1], [0.5], [4_000_000_000]])
      expect(() => constrainToPattern('a', tinyTokenizer(), ids)).toThrow(code('BAD_ARGUMENT'))
    expect(() => constrainToPattern('(a', tinyTokenizer(), [3])).toThrow(code('BAD_PATTERN'))
    const endless = constrainToPattern('a', tinyTokenizer(), [])
    const after = endless.next(0, tinyTokenizer().id('a')!)
    expect(() => endless.allowed(after, 5)).toThrow(code('NOTHING_ALLOWED'))
    const constraint = constrainToPattern('a', tinyTokenizer(), [3])
    expect(() => constraint.next(0, tinyTokenizer().id('b')!)).toThrow(code('BAD_ARGUMENT'))
  })

  it('returns the same mask for the same state, regardless of other calls', () => {
    const constraint = constrainToPattern('[a-z]{2,6}', tokenizer, ends)
    const first = [5, 1, Infinity].map((remaining) => constraint.allowed(0, remaining).slice())
    randomWalk(constraint, ends, 9, stream(key(2)))
    expect([5, 1, Infinity].map((remaining) => constraint.allowed(0, remaining))).toEqual(first)
  })
})
