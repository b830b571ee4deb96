import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ggufTokenizer } from './gguf-tokenizer.js'
import { tokenizerOf } from './tokenizer-of.js'

interface Golden {
  readonly source: string
  readonly texts: readonly string[]
  readonly cases: Readonly<Record<string, { readonly metadata: Record<string, unknown>; readonly ids: number[][] }>>
}
const golden = JSON.parse(gunzipSync(readFileSync('golden/gguf-tokenizers.json.gz')).toString()) as Golden
const make = (metadata: Record<string, unknown>) =>
  tokenizerOf(ggufTokenizer(metadata, 'a.gguf'), { name: 'bpe', type: 'BPE' })

describe('a tokenizer out of a GGUF file', () => {
  it.each(Object.entries(golden.cases))(`of %s gives the ids of ${golden.source}`, (_, { metadata, ids }) => {
    const tokenizer = make(metadata)
    for (const [i, text] of golden.texts.entries()) expect([text, tokenizer.encode(text).ids]).toEqual([text, ids[i]])
  })

  it('knows the roles of tokens, and gives back the text of pieces', () => {
    const tokenizer = make(golden.cases['llama']!.metadata)
    expect(tokenizer.special).toEqual({ begin: 1, end: 2, unknown: 0 })
    expect(tokenizer.decode(tokenizer.encode('the whole of it, 123 é').ids)).toBe('the whole of it, 123 é')
  })

  it('refuses a file without one, of another kind, and one that cuts words in a way that is not known', () => {
    const { metadata } = golden.cases['gpt2']!
    const refused = (where: string) =>
      expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(where) })
    expect(() => make({})).toThrow(refused('tokenizer.ggml.model'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.model': 'bert' })).toThrow(refused('tokenizer.ggml.model'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.pre': 'constructor' })).toThrow(refused('constructor'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.tokens': [1] })).toThrow(refused('tokenizer.ggml.tokens'))
  })
})
