import { describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

type Json = Readonly<Record<string, unknown>>
type Type = 'BPE' | 'Unigram' | 'WordLevel' | 'WordPiece'

const words = { type: 'WordLevel', unk_token: '?', vocab: { '?': 0, a: 1 } }
const load = (json: Json) =>
  tokenizerOf({ json, config: {} }, { name: 'x', type: (json['model'] as { readonly type: Type }).type })
const times = (count: number, make: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, index) => make(index))
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
const normalizers = (count: number, step: Json): Json => ({
  model: words,
  normalizer: { type: 'Sequence', normalizers: times(count, () => step) },
})

describe('a tokenizer.json with excessive or invalid sizes', () => {
  const refused = expect.objectContaining({ code: 'BAD_TOKENIZER' })

  it.each<readonly [string, Json]>([
    ['an id of four million', { model: { ...words, vocab: { '?': 0, a: 4_000_000 } } }],
    ['an added token with such an id', { model: words, added_tokens: [{ id: 3_999_999, content: 'b', ...flags }] }],
    ['a token of 10,001 letters', { model: { ...words, vocab: { '?': 0, ['a'.repeat(10_001)]: 1 } } }],
    ['21 steps', normalizers(21, { type: 'NFC' })],
    [
      'steps in steps',
      { model: words, normalizer: { type: 'Sequence', normalizers: [normalizers(1, { type: 'NFC' })['normalizer']] } },
    ],
    ['300,000 invalid merges', { model: { type: 'BPE', vocab: { a: 0 }, merges: times(300_000, () => 0) } }],
  ])('is rejected: %s', (_, json) => {
    expect(() => load(json)).toThrow(refused)
  })

  it.each([
    ['a long replacement', times(20, () => ({ type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(100) }))],
    ['a prefix', [{ type: 'Prepend', prepend: 'b'.repeat(100) }]],
  ])('is rejected if a normalizer expands its added tokens: %s', (_, steps) => {
    const tokens = times(5000, (i) => ({ ...flags, id: i, content: `a${i}`, normalized: true }))
    const normalizer = { type: 'Sequence', normalizers: steps }
    const before = process.cpuUsage().user
    expect(() => load({ model: words, normalizer, added_tokens: tokens })).toThrow(refused)
    expect(process.cpuUsage().user - before).toBeLessThan(2e6)
  })

  it('is saved without unknown fields', () => {
    const json = { model: { ...words, more: times(1000, () => 'b') }, more: times(1000, () => 'b') }
    expect(load(json).files()['tokenizer.json']).toEqual({ model: words })
  })
})
