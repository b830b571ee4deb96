import { describe, expect, it } from '@jest/globals'
import type { EncodeOptions } from '@attune/core'
import { tokenizerOf } from './tokenizer-of.js'

type Json = Readonly<Record<string, unknown>>
type Type = 'BPE' | 'Unigram' | 'WordLevel' | 'WordPiece'

const words = { type: 'WordLevel', unk_token: '?', vocab: { '?': 0, a: 1 } }
const load = (json: Json) =>
  tokenizerOf({ json, config: {} }, { name: 'x', type: (json['model'] as { readonly type: Type }).type })
const times = (count: number, make: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, index) => make(index))
const normalizers = (count: number, step: Json): Json => ({
  model: words,
  normalizer: { type: 'Sequence', normalizers: times(count, () => step) },
})
const preTokenizers = (count: number, step: Json): Json => ({
  model: words,
  pre_tokenizer: { type: 'Sequence', pretokenizers: times(count, () => step) },
})
const split = (Regex: string): Json => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated' })
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
const added = (contents: readonly string[]): Json => ({
  model: words,
  added_tokens: contents.map((content, index) => ({ id: 1 + index, content, ...flags })),
})

/** CPU time of a call, in seconds. The limit of a test is ten times what the call takes. */
function cpuSeconds(call: () => void): number {
  const before = process.cpuUsage()
  call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Distinct ideographs from U+10000 on. */
const distinct = String.fromCodePoint(...Array.from({ length: 20_000 }, (_, i) => 0x10000 + i))

const properties = [
  'Lu',
  'Ll',
  'Lt',
  'Lm',
  'Mn',
  'Mc',
  'Me',
  'Nd',
  'Nl',
  'No',
  'Pc',
  'Pd',
  'Sm',
  'Sc',
  'Sk',
  'So',
  'Zs',
]

describe('encode within limits of work', () => {
  const refused = (part: string, what: 'steps' | 'bytes' | '') =>
    expect.objectContaining({
      code: 'BAD_TOKENIZER',
      problem: expect.stringMatching(new RegExp(`the \`${part}\` of option .*it takes more than [\\d,]+ ${what}`)),
    })

  it.each<readonly [string, string, 'steps' | 'bytes' | '', Json, string]>([
    [
      'replacements that grow the text',
      'normalizer',
      '',
      normalizers(20, { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(100) }),
      'a',
    ],
    ['bytes as characters, 20 times', 'normalizer', '', normalizers(20, { type: 'ByteLevel' }), 'é'.repeat(5000)],
    ['a Unicode normalization form, 20 times', 'normalizer', 'steps', normalizers(20, { type: 'NFKD' }), distinct],
    ['the normalizer of BERT, 20 times', 'normalizer', 'steps', normalizers(20, { type: 'BertNormalizer' }), distinct],
    [
      'a long search that nearly matches, 20 times',
      'normalizer',
      'steps',
      normalizers(20, { type: 'Replace', pattern: { String: `${'a'.repeat(99)}b` }, content: '' }),
      'a'.repeat(5000),
    ],
    [
      'an expression of 1,800 characters',
      'pre_tokenizer',
      'steps',
      preTokenizers(1, split(`(?:${'a?'.repeat(900)})b`)),
      'a'.repeat(20_000),
    ],
    [
      'an expression without backtracking',
      'pre_tokenizer',
      '',
      preTokenizers(1, split(`(?:${'b??'.repeat(600)}a)*`)),
      'a'.repeat(100_000),
    ],
    [
      'an expression of many properties',
      'pre_tokenizer',
      'steps',
      preTokenizers(1, split(properties.flatMap((name) => [`\\p{${name}}b`, `\\P{${name}}b`]).join('|'))),
      distinct,
    ],
    [
      'n-grams of n-grams',
      'pre_tokenizer',
      'steps',
      preTokenizers(3, { type: 'CharacterNGrams', size: 50 }),
      'a'.repeat(5000),
    ],
    [
      'Unigram tokens of up to 5,000 letters',
      'model',
      'steps',
      {
        model: {
          type: 'Unigram',
          unk_id: 0,
          vocab: [['<unk>', 0], ...times(1000, (i) => ['a'.repeat(5 * i + 1), -i])],
        },
      },
      'a'.repeat(20_000),
    ],
    [
      'WordPiece tokens of 9,000 letters that nearly match',
      'model',
      'steps',
      {
        model: {
          type: 'WordPiece',
          unk_token: 'u',
          max_input_chars_per_word: 1e9,
          vocab: { u: 0, a: 1, '##a': 2, [`##${'a'.repeat(9000)}b`]: 3 },
        },
      },
      'a'.repeat(20_000),
    ],
    [
      'a template that repeats the text',
      'post_processor',
      '',
      {
        model: words,
        pre_tokenizer: split('a'),
        post_processor: {
          type: 'TemplateProcessing',
          single: times(64, () => ({ Sequence: { id: 'A', type_id: 0 } })),
          pair: [],
          special_tokens: {},
        },
      },
      'a'.repeat(100_000),
    ],
  ])('rejects %s', (_, part, what, json, text) => {
    const { encode } = load(json)
    expect(() => encode(text)).toThrow(refused(part, what))
  })

  it('rejects precompiled rules that are looked up for each of many characters', () => {
    const rules = Uint8Array.from({ length: 4100 }, (_, i) => (i === 1 ? 4 : 0))
    const { encode } = load(
      normalizers(20, { type: 'Precompiled', precompiled_charsmap: Buffer.from(rules).toString('base64') }),
    )
    expect(() => encode(distinct)).toThrow(refused('normalizer', 'steps'))
  })
})

describe('encode on texts that are hard to tokenize', () => {
  const unknown = [0]

  it.each<readonly [string, Json, string, readonly number[], EncodeOptions]>([
    [
      '400,000 accents after a letter',
      normalizers(1, { type: 'NFD' }),
      `a${'\u0301\u0323'.repeat(200_000)}`,
      unknown,
      {},
    ],
    ['400,000 accents, composed', normalizers(1, { type: 'NFC' }), `a${'\u0301\u0323'.repeat(200_000)}`, unknown, {}],
    [
      'added tokens of 9,000 letters',
      added(Array.from({ length: 90 }, (_, i) => `${'a'.repeat(9000 + i)}b`)),
      'a'.repeat(100_000),
      unknown,
      {},
    ],
    [
      'a word of 300,000 letters',
      { model: { type: 'WordPiece', unk_token: 'u', max_input_chars_per_word: 1e9, vocab: { u: 0, a: 1 } } },
      'a'.repeat(300_000),
      unknown,
      {},
    ],
    [
      'merges that double',
      { model: { type: 'BPE', vocab: { a: 0, aa: 1, aaaa: 2 }, merges: ['a a', 'aa aa'] } },
      'a'.repeat(200_000),
      Array<number>(50_000).fill(2),
      {},
    ],
    [
      'a limit of 10⁹ tokens',
      { model: words, truncation: { max_length: 1e9 }, padding: { strategy: { Fixed: 1e9 } } },
      'a',
      [1],
      { maximumLength: 1e9 },
    ],
  ])('is fast for %s', (_, json, text, ids, options) => {
    let found: readonly number[] = []
    const seconds = cpuSeconds(() => (found = load(json).encode(text, options).ids))
    expect(found).toEqual(ids)
    expect(seconds).toBeLessThan(20)
  })

  it('splits words and added tokens in linear time, without spaces', () => {
    const tokenizer = load({ ...added(['<x>']), pre_tokenizer: { type: 'WhitespaceSplit' } })
    let ids: readonly number[] = []
    const seconds = cpuSeconds(() => ({ ids } = tokenizer.encode('\u3042<x>'.repeat(250_000))))
    expect(ids).toHaveLength(500_000)
    expect(seconds).toBeLessThan(10) // one second; in quadratic time, hundreds
  })

  it('matches thousands of added tokens, longest first', () => {
    const contents = Array.from({ length: 2000 }, (_, i) => `a${'b'.repeat(i)}`)
    const { encode } = load(added(contents))
    expect(encode(`a${'b'.repeat(1999)}ab`).ids).toEqual([1 + 1999, 2])
  })
})
