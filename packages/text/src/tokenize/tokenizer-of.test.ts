import { describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

const model = { type: 'WordLevel', unk_token: '[UNK]', vocab: { '[UNK]': 0, one: 1, two: 2 } }
const load = (json: Readonly<Record<string, unknown>>) => tokenizerOf({ json }, { name: 'words', type: 'WordLevel' })
const refused = (problem: string) =>
  expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(problem) })

describe('what broken files taught', () => {
  it('a file may leave out the steps that it has none of', () => {
    const tokenizer = load({ model })
    expect(tokenizer.decode([1, 2])).toBe('one two')
    expect(load({ model, added_tokens: undefined, decoder: null }).decode([2])).toBe('two')
  })

  it('steps that only encoding knows do not stand in the way of decoding', () => {
    expect(load({ model, normalizer: { type: 'Nmt' } }).decode([1])).toBe('one')
  })

  it('ids without a token are left out when decoding', () => {
    const { decode } = load({ model, decoder: { type: 'Metaspace' } })
    expect(decode([1, 99, 4_000_000])).toBe('one')
    expect(decode([99])).toBe('')
  })

  it('a type of model that is thousands of arrays deep is refused as any other', () => {
    const type = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown
    expect(() => load({ model: { ...model, type } })).toThrow(refused('model.type'))
  })

  it.each([
    ['a regular expression that takes forever', { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' }],
    ['nothing to replace', { type: 'Replace', content: '' }],
    ['a suffix that is no text', { type: 'BPEDecoder', suffix: 3 }],
    ['a replacement that is no text', { type: 'Sequence', decoders: [{ type: 'Metaspace', replacement: [] }] }],
    ['a type that is not known', { type: 'Eval' }],
  ])('a decoder with %s is refused', (_, decoder) => {
    expect(() => load({ model, decoder })).toThrow(refused('decoder'))
  })
})

describe('what is cut off a text that is too long', () => {
  const json = { model, pre_tokenizer: { type: 'WhitespaceSplit' } }
  const encode = (config: object, options: object) =>
    tokenizerOf({ json, config: { ...config } }, { name: 'words', type: 'WordLevel' }).encode('one two two', options)
      .ids

  it('is its end, or as the configuration says, or as one asks', () => {
    expect(encode({}, { maximumLength: 2 })).toEqual([1, 2])
    expect(encode({ truncation_side: 'left' }, { maximumLength: 2 })).toEqual([2, 2])
    expect(encode({ truncation_side: 'left' }, { maximumLength: 2, truncationSide: 'right' })).toEqual([1, 2])
    expect(encode({}, { maximumLength: 2, truncationSide: 'left' })).toEqual([2, 2])
  })
})
