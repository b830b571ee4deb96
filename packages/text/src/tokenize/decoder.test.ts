import { describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

type Json = Readonly<Record<string, unknown>>

const words = { type: 'WordLevel', unk_token: '?', vocab: { '?': 0, a: 1 } }
const load = (json: Json) => tokenizerOf({ json, config: {} }, { name: 'x', type: 'WordLevel' })
const times = (count: number, make: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, index) => make(index))

describe('decode within limits of work', () => {
  const refused = expect.objectContaining({
    code: 'BAD_TOKENIZER',
    problem: expect.stringMatching(/the `decoder` of option .*it takes more than/),
  })
  const decoders = (count: number, step: Json): Json => ({ type: 'Sequence', decoders: times(count, () => step) })
  const long = (token: string, decoder: Json | null): Json => ({
    model: { ...words, vocab: { '?': 0, [token]: 1 } },
    decoder,
  })

  it.each<readonly [string, Json, number]>([
    [
      'spaces between all units, 20 times',
      { model: words, decoder: decoders(20, { type: 'BPEDecoder', suffix: '' }) },
      10,
    ],
    [
      'replacements that grow them',
      { model: words, decoder: decoders(20, { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(100) }) },
      10,
    ],
    ['tokens of 10,000 letters', long('a'.repeat(10_000), null), 250_000],
    ['tokens of 5,000 marks', long('▁'.repeat(5000), { type: 'Metaspace' }), 100_000],
    ['tokens of 200 bytes, 20 times', long('▁'.repeat(200), decoders(20, { type: 'Metaspace' })), 100_000],
    ['tokens that are tidied up', long(" n't".repeat(2000), { type: 'WordPiece', prefix: '', cleanup: true }), 100],
  ])('rejects %s', (_, json, count) => {
    const { decode } = load(json)
    expect(() => decode(Array<number>(count).fill(1))).toThrow(refused)
  })

  it('rejects too many tokens for the join of a plugin', () => {
    const json = long('a'.repeat(4000), null)
    const { decode } = tokenizerOf({ json }, { name: 'x', type: 'WordLevel', join: (tokens) => tokens.join('') })
    expect(() => decode(Array<number>(200_000).fill(1))).toThrow(refused)
    expect(decode([1, 1])).toBe('a'.repeat(8000))
  })
})
