import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { isDivisible } from './chunks.js'
import { type TokenizerFile, tokenizerFileSchema } from './schema.js'
import { tokenizerOf } from './tokenizer-of.js'

const read = (name: string): unknown => JSON.parse(gunzipSync(readFileSync(`golden/${name}.json.gz`)).toString())
const texts = (read('hard-texts') as string[]).filter((text) => text.length < 500)
const { tokenizer } = read('encodings-qwen2') as { tokenizer: Readonly<Record<string, unknown>> }
const { cases } = read('splits') as { cases: readonly { name: string; expression: string }[] }
const splitBy = (name: string) => ({
  type: 'Split',
  pattern: { Regex: cases.find((each) => each.name === name)!.expression },
  behavior: 'Isolated',
  invert: false,
})
const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false }
/** A step that splits nothing but is not known to be divisible. */
const unknown = { type: 'Split', pattern: { String: '\ufdd0' }, behavior: 'Isolated', invert: false }
const withSteps = (...pretokenizers: object[]) => ({
  ...tokenizer,
  pre_tokenizer: { type: 'Sequence', pretokenizers: [...pretokenizers, bytes] },
})
const divisible = (json: object): boolean => isDivisible(tokenizerFileSchema.parse(json) as TokenizerFile)

describe('tokenization in cached parts', () => {
  it.each([
    ['gpt2', [splitBy('gpt2')]],
    ['llama3', [splitBy('llama3')]],
    ['qwen2', [splitBy('qwen2')]],
    ['qwen3.5', [splitBy('qwen3.5')]],
    ['o200k', [splitBy('o200k')]],
    ['tekken', [splitBy('tekken')]],
    ['deepseek-v3', [splitBy('digits'), splitBy('deepseek-v3, ideographs'), splitBy('deepseek-v3')]],
  ])('matches tokenization of the whole text for the pre-tokenizer of %s', (_, steps) => {
    const [parts, whole] = [withSteps(...steps), withSteps(...steps, unknown)]
    expect([divisible(parts), divisible(whole)]).toEqual([true, false])
    const [ours, theirs] = [parts, whole].map((json) => tokenizerOf({ json }, { name: 'x', type: 'BPE' }))
    for (let i = 0; i < texts.length; i += 5) {
      const row = texts.slice(i, i + 5).join(' ')
      expect([row, ours!.encode(row).ids]).toEqual([row, theirs!.encode(row).ids])
    }
  })

  it('is disabled for a pre-tokenizer that reads encoded spaces', () => {
    expect(divisible(withSteps(bytes, splitBy('gpt2')))).toBe(false)
  })

  it('is disabled for a pre-tokenizer that is not well-known', () => {
    for (const name of ['bloom', 'cut to length', 'words']) expect(divisible(withSteps(splitBy(name)))).toBe(false)
  })
})
