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

describe('ggufTokenizer', () => {
  it.each(Object.entries(golden.cases))(`matches the ids of ${golden.source} for %s`, (_, { metadata, ids }) => {
    const tokenizer = make(metadata)
    for (const [i, text] of golden.texts.entries()) expect([text, tokenizer.encode(text).ids]).toEqual([text, ids[i]])
  })

  it('maps special tokens, and decodes subwords to the text', () => {
    const tokenizer = make(golden.cases['llama']!.metadata)
    expect(tokenizer.special).toEqual({ begin: 1, end: 2, unknown: 0 })
    expect(tokenizer.decode(tokenizer.encode('the whole of it, 123 é').ids)).toBe('the whole of it, 123 é')
  })

  const read = (name: string): unknown => JSON.parse(gunzipSync(readFileSync(`golden/${name}.json.gz`)).toString())
  const { metadata: plain } = golden.cases['gpt2']!

  // By name in the file and in the golden values, which hold the splits of the Rust library for these expressions.
  it.each([
    ['llama-bpe', 'llama3', true],
    ['qwen2', 'qwen2', false],
    ['deepseek-r1-qwen', 'qwen2', false],
    ['tekken', 'tekken', true],
    ['gpt-4o', 'o200k', false],
    ['llama4', 'o200k', false],
  ])('splits words for %s', (pre, name, whole) => {
    const { cases } = read('splits') as { cases: readonly { name: string; expression: string }[] }
    const { json } = ggufTokenizer({ ...plain, 'tokenizer.ggml.pre': pre }, 'a.gguf') as never as {
      json: { pre_tokenizer: { pretokenizers: [{ pattern: object }] }; model: { ignore_merges: boolean } }
    }
    const expression = cases.find((each) => each.name === name)!.expression
    expect(json.pre_tokenizer.pretokenizers[0].pattern).toEqual({ Regex: expression })
    expect(json.model.ignore_merges).toBe(whole)
  })

  it('splits digits individually for SmolLM, like the Digits step of its tokenizer.json', () => {
    const { json } = ggufTokenizer({ ...plain, 'tokenizer.ggml.pre': 'smollm' }, 'a.gguf')
    const pretokenizers = [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ]
    const own = { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers } }
    const [a, b] = [json, own].map((each) => tokenizerOf({ json: each }, { name: 'bpe', type: 'BPE' }))
    for (const text of read('hard-texts') as string[]) expect(a!.encode(text).ids).toEqual(b!.encode(text).ids)
  })

  it('rejects a missing tokenizer, an unsupported model type, and an unknown pre-tokenizer', () => {
    const { metadata } = golden.cases['gpt2']!
    const refused = (where: string) =>
      expect.objectContaining({ code: 'BAD_TOKENIZER', problem: expect.stringContaining(where) })
    expect(() => make({})).toThrow(refused('tokenizer.ggml.model'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.model': 'bert' })).toThrow(refused('tokenizer.ggml.model'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.pre': 'constructor' })).toThrow(refused('constructor'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.tokens': [1] })).toThrow(refused('tokenizer.ggml.tokens'))
  })
})
