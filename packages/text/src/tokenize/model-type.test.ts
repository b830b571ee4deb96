import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { ModelFile } from './schema.js'
import { modelTypeOf } from './model-type.js'
import { tokenizerOf } from './tokenizer-of.js'

const vocab = { a: 0, b: 1, ab: 2, '[UNK]': 3 }
const unknown = { unk_token: '[UNK]' }
const wordPiece = { ...unknown, continuing_subword_prefix: '##', max_input_chars_per_word: 100 }

describe('modelTypeOf a model without a type', () => {
  // Expected: `Tokenizer.from_str(…).model` in tokenizers 0.23.3; undefined where it rejects the file.
  it.each([
    [{ vocab, merges: ['a b'] }, 'BPE'],
    [{ vocab, merges: [] }, 'BPE'],
    [{ vocab, merges: ['a b'], dropout: 0.1 }, 'BPE'],
    [{ vocab, merges: null, ...unknown }, 'WordLevel'],
    [{ vocab, ...wordPiece }, 'WordPiece'],
    [{ vocab, ...unknown, continuing_subword_prefix: '##' }, 'WordLevel'],
    [{ vocab, ...unknown }, 'WordLevel'],
    [{ vocab }, undefined],
    [{ vocab: [['a', -1]], unk_id: 0 }, 'Unigram'],
    [{ vocab: [['a', -1]] }, 'Unigram'],
    [{ type: 'Foo', vocab: [['a', -1]] }, 'Foo'],
    [{ type: null, vocab: [['a', -1]] }, undefined],
  ])('matches the Rust library for %j', (model, type) => expect(modelTypeOf({ model })).toBe(type))

  it('returns undefined for content that is not a tokenizer', () => {
    for (const content of [null, [], 'x', {}, { model: [] }, { model: null }])
      expect(modelTypeOf(content)).toBeUndefined()
  })
})

describe.each([
  ['word-piece', 'WordPiece'],
  ['gpt2', 'BPE'],
  ['t5', 'Unigram'],
  ['words', 'WordLevel'],
] as const)('the file of %s without its type', (name, type) => {
  const { tokenizer, encodings } = JSON.parse(
    gunzipSync(readFileSync(`golden/encodings-${name}.json.gz`)).toString(),
  ) as { tokenizer: { model: object }; encodings: [number[]][] }
  const texts = JSON.parse(gunzipSync(readFileSync('golden/hard-texts.json.gz')).toString()) as string[]
  const { type: said, ...model } = tokenizer.model as { type: string }
  const load = (kind: ModelFile['type']) => tokenizerOf({ json: { ...tokenizer, model } }, { name, type: kind })

  it('encodes and decodes like the file with its type', () => {
    expect(said).toBe(type)
    const [whole, without] = [tokenizerOf({ json: tokenizer }, { name, type }), load(type)]
    for (const [i, text] of texts.slice(0, 50).entries()) {
      const { ids } = without.encode(text)
      expect(ids).toEqual(encodings[i]![0])
      expect(without.decode(ids)).toBe(whole.decode(ids))
    }
    expect(without.files()['tokenizer.json']).toEqual({ ...tokenizer, model })
  })

  it('is rejected as a file of another type', () => {
    const other = type === 'BPE' ? 'Unigram' : 'BPE'
    const refused = { code: 'BAD_TOKENIZER', problem: expect.stringContaining(`model.type`) }
    expect(() => load(other)).toThrow(expect.objectContaining(refused))
  })
})
