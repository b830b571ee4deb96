import { describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

const model = { type: 'WordLevel', unk_token: '[UNK]', vocab: { '[UNK]': 0, one: 1, two: 2 } }
const load = (json: Readonly<Record<string, unknown>>) => tokenizerOf({ json }, { name: 'words', type: 'WordLevel' })
const refused = (problem: string) =>
  expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(problem) })

describe('tokenizerOf', () => {
  it('accepts a file without optional steps', () => {
    const tokenizer = load({ model })
    expect(tokenizer.decode([1, 2])).toBe('one two')
    expect(load({ model, added_tokens: undefined, decoder: null }).decode([2])).toBe('two')
  })

  it('decodes with a normalizer that only encoding uses', () => {
    expect(load({ model, normalizer: { type: 'Nmt' } }).decode([1])).toBe('one')
  })

  it('skips ids without a token when decoding', () => {
    const { decode } = load({ model, decoder: { type: 'Metaspace' } })
    expect(decode([1, 99, 4_000_000])).toBe('one')
    expect(decode([99])).toBe('')
  })

  it('rejects a deeply nested model type', () => {
    const type = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown
    expect(() => load({ model: { ...model, type } })).toThrow(refused('model.type'))
  })

  it.each([
    ['a regular expression of exponential time', { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' }],
    ['no pattern', { type: 'Replace', content: '' }],
    ['a suffix that is not a string', { type: 'BPEDecoder', suffix: 3 }],
    ['a replacement that is not a string', { type: 'Sequence', decoders: [{ type: 'Metaspace', replacement: [] }] }],
    ['an unknown type', { type: 'Eval' }],
  ])('rejects a decoder with %s', (_, decoder) => {
    expect(() => load({ model, decoder })).toThrow(refused('decoder'))
  })
})

describe('truncation', () => {
  const json = { model, pre_tokenizer: { type: 'WhitespaceSplit' } }
  const encode = (config: object, options: object) =>
    tokenizerOf({ json, config: { ...config } }, { name: 'words', type: 'WordLevel' }).encode('one two two', options)
      .ids

  it('uses the right side, the side of the configuration, or the requested side', () => {
    expect(encode({}, { maximumLength: 2 })).toEqual([1, 2])
    expect(encode({ truncation_side: 'left' }, { maximumLength: 2 })).toEqual([2, 2])
    expect(encode({ truncation_side: 'left' }, { maximumLength: 2, truncationSide: 'right' })).toEqual([1, 2])
    expect(encode({}, { maximumLength: 2, truncationSide: 'left' })).toEqual([2, 2])
  })
})

describe('values of another type', () => {
  const { encode, decode } = load({ model })
  const wrong = (problem: string) =>
    expect.objectContaining({ code: 'BAD_ARGUMENT', problem: expect.stringContaining(problem) })

  it.each([[42], [undefined], [null], [['one']], [{}]])('are rejected as a text: %p', (value) => {
    expect(() => encode(value as never)).toThrow(wrong('expected a text, got'))
    expect(() => encode('one', { pair: value ?? null } as never)).toThrow(wrong('expected a text, got'))
  })

  it.each([['one'], [undefined], [[1.5]], [[undefined]], [{ length: 1 }], [BigInt64Array.of(1n)]])(
    'are rejected as ids: %p',
    (value) => {
      expect(() => decode(value as never)).toThrow(wrong('expected a list of token ids'))
    },
  )
})
