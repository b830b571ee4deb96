import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ggufTokenizer } from './gguf-tokenizer.js'
import { PRE_TOKENIZERS } from './gguf/pre-tokenizers.js'
import { modelTypeOf } from './model-type.js'
import { wordsOf } from './pipeline.js'
import type { ModelFile } from './schema.js'
import { tokenizerOf } from './tokenizer-of.js'

interface Case {
  readonly metadata: Record<string, unknown>
  /** Ids of each text; null where the library adds tokens that the file lacks. */
  readonly ids: (number[] | null)[]
}
interface Golden {
  readonly source: string
  readonly texts: readonly string[]
  readonly cases: Readonly<Record<string, Case>>
  readonly sentencePiece: Case & { readonly source: string; readonly texts: readonly string[] }
  /** Lengths of the words that each pre-tokenizer splits texts into, in byte-level characters. */
  readonly words: {
    readonly source: string
    readonly texts: readonly string[]
    readonly lengths: Readonly<Record<string, number[][]>>
  }
}
const golden = JSON.parse(gunzipSync(readFileSync('golden/gguf-tokenizers.json.gz')).toString()) as Golden
function make(metadata: Record<string, unknown>) {
  const made = ggufTokenizer(metadata, 'a.gguf')
  return tokenizerOf(made, { name: 'x', type: modelTypeOf(made.json) as ModelFile['type'] })
}

describe('ggufTokenizer', () => {
  it.each(Object.entries(golden.cases))(`matches the ids of ${golden.source} for %s`, (_, { metadata, ids }) => {
    const tokenizer = make(metadata)
    const compared = [...golden.texts.entries()].filter(([i]) => ids[i] !== null)
    for (const [i, text] of compared) expect([text, tokenizer.encode(text).ids]).toEqual([text, ids[i]])
    expect(compared.length).toBeGreaterThan(450)
  })

  it(`matches the ids of ${golden.sentencePiece.source}, also of texts that begin with a space`, () => {
    const { metadata, texts, ids } = golden.sentencePiece
    const tokenizer = make(metadata)
    for (const [i, text] of texts.entries()) expect([text, tokenizer.encode(text).ids]).toEqual([text, ids[i]])
    expect(texts.filter((text) => text.startsWith(' ')).length).toBeGreaterThan(12)
  })

  it('adds a space before a text that begins with one, and after special tokens, and decodes it without', () => {
    const { encode, decode, token } = make(golden.cases['llama']!.metadata)
    const tokens = (text: string) =>
      encode(text, { addSpecialTokens: false })
        .ids.map((id) => token(id))
        .join('')
    expect([' a', 'a', '</s>a', '</s> a', ''].map(tokens)).toEqual(['▁▁a', '▁a', '</s>▁a', '</s>▁▁a', ''])
    expect(decode(encode(' a  b').ids)).toBe(' a  b')
  })

  it.each(Object.entries(golden.words.lengths))(`splits words like ${golden.words.source} for %s`, (name, lengths) => {
    const { json } = ggufTokenizer({ ...golden.cases['gpt2']!.metadata, 'tokenizer.ggml.pre': name }, 'a.gguf')
    const words = wordsOf(json)
    for (const [i, text] of golden.words.texts.entries())
      expect([name, text, words(text).map(({ length }) => length)]).toEqual([name, text, lengths[i]])
  })

  it('loads every pre-tokenizer that it knows', () => {
    for (const name of PRE_TOKENIZERS.keys())
      expect(() => make({ ...golden.cases['gpt2']!.metadata, 'tokenizer.ggml.pre': name })).not.toThrow()
  })

  it('adds the BOS token for the pre-tokenizers of Llama 3 and Tekken, unless the file says otherwise', () => {
    const plain = golden.cases['gpt2']!.metadata
    const first = (more: object) => make({ ...plain, ...more }).encode('a').ids[0] === 0
    const named = (pre: string) => ({ 'tokenizer.ggml.pre': pre })
    expect(['llama-bpe', 'tekken', 'qwen2'].map((pre) => first(named(pre)))).toEqual([true, true, false])
    expect(first({ ...named('llama-bpe'), 'tokenizer.ggml.add_bos_token': false })).toBe(false)
  })

  it('maps the special tokens of BERT and T5', () => {
    const [bert, t5] = [make(golden.cases['bert']!.metadata), make(golden.cases['t5']!.metadata)]
    expect(bert.special).toEqual({ begin: 2, end: 3, unknown: 1, pad: 0, mask: 4 })
    expect(t5.special).toEqual({ end: 1, unknown: 2, pad: 0 })
    expect(t5.encode('<extra_id_0> a', { addSpecialTokens: false }).ids[0]).toBe(t5.vocabularySize - 1)
    expect(bert.encode('a', { pair: 'b' }).typeIds).toEqual([0, 0, 0, 1, 1])
    expect(bert.decode(bert.encode('the whole package').ids)).toBe('the whole package')
  })

  it('includes the spaces after the special tokens of Phi-3', () => {
    const { encode, id } = make({ ...golden.cases['llama']!.metadata, 'general.name': 'Phi-3 mini' })
    const bare = { addSpecialTokens: false }
    expect(encode('</s>  a', bare).ids).toEqual([id('</s>'), ...encode('a', bare).ids])
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
    expect(() => make({ ...metadata, 'tokenizer.ggml.model': 'rwkv' })).toThrow(refused('tokenizer.ggml.model'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.pre': 'constructor' })).toThrow(refused('constructor'))
    expect(() => make({ ...metadata, 'tokenizer.ggml.tokens': [1] })).toThrow(refused('tokenizer.ggml.tokens'))
  })
})
