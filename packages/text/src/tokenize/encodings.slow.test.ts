import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { EncodeOptions, Encoding } from '@attune/core'
import { tokenizerOf } from './tokenizer-of.js'

/** Ids of a text and its flattened offsets; null where the offsets of the other library are wrong. */
type Tokens = readonly [ids: number[], offsets: number[] | null]
interface Golden {
  readonly source: string
  readonly tokenizer: Readonly<Record<string, unknown>>
  readonly encodings: readonly Tokens[]
  readonly windows: readonly [text: string, options: EncodeOptions, windows: Tokens[]][]
}

const read = (name: string): unknown => JSON.parse(gunzipSync(readFileSync(`golden/${name}.json.gz`)).toString())
const texts = read('hard-texts') as string[]
const tokensOf = ({ ids, offsets }: Encoding): Tokens => [[...ids], offsets!.flat()]

describe.each([
  ['word-piece', 'WordPiece'],
  ['gpt2', 'BPE'],
  ['roberta', 'BPE'],
  ['qwen2', 'BPE'],
  ['llama2', 'BPE'],
  ['xlm-roberta', 'Unigram'],
  ['t5', 'Unigram'],
  ['words', 'WordLevel'],
] as const)('the tokenizer %s', (name, type) => {
  const golden = read(`encodings-${name}`) as Golden
  const tokenizer = tokenizerOf({ json: golden.tokenizer }, { name, type })

  it(`matches the ids and offsets of ${golden.source} for ${texts.length} texts`, () => {
    for (const [i, text] of texts.entries()) {
      const [ids, offsets] = tokensOf(tokenizer.encode(text, { offsets: true }))
      const expected = golden.encodings[i]!
      expect([text, ids, expected[1] === null ? null : offsets]).toEqual([text, ...expected])
    }
    expect(golden.encodings.filter(([, offsets]) => offsets === null).length).toBeLessThan(100)
  })

  it('returns the same ids again, without offsets, and for concatenated texts', () => {
    for (const [i, text] of texts.entries()) expect(tokenizer.encode(text).ids).toEqual(golden.encodings[i]![0])
    const bare = { addSpecialTokens: false, offsets: true }
    const row = texts.slice(100, 140).join(' ')
    const fresh = tokenizerOf({ json: golden.tokenizer }, { name, type })
    expect(tokenizer.encode(row, bare)).toEqual(fresh.encode(row, bare))
  })

  it('matches its pairs and windows', () => {
    for (const [text, options, windows] of golden.windows) {
      const encoding = tokenizer.encode(text, { ...options, offsets: true })
      const made = [encoding, ...(encoding.overflowing ?? [])].map(tokensOf)
      expect([text, options, made]).toEqual([text, options, windows])
    }
  })

  it('returns offsets within the text', () => {
    const astray = texts.flatMap((text) => {
      const { offsets, specialMask } = tokenizer.encode(text, { offsets: true })
      const within = (start: number, end: number) => 0 <= start && start <= end && end <= text.length
      return offsets!.flatMap(([start, end], i) =>
        within(start, end) && (specialMask![i] !== 1 || end === 0) ? [] : [{ text, i, start, end }],
      )
    })
    expect(astray).toEqual([])
  })
})

describe('windows', () => {
  const { tokenizer: json } = read('encodings-gpt2') as Golden
  const tokenizer = tokenizerOf({ json }, { name: 'gpt2', type: 'BPE' })

  it('reject a stride that makes no progress', () => {
    const refused = expect.objectContaining({ code: 'BAD_STRIDE' })
    expect(() => tokenizer.encode('a b c d e f', { maximumLength: 3, stride: 3 })).toThrow(refused)
    expect(tokenizer.encode('a b', { maximumLength: 3, stride: 3 }).overflowing).toEqual([])
  })

  it('overlap by the stride and cover the text', () => {
    const text = texts.join(' ').slice(0, 2000)
    const whole = tokenizer.encode(text).ids
    for (const truncationSide of ['left', 'right'] as const) {
      const first = tokenizer.encode(text, { maximumLength: 50, stride: 7, truncationSide })
      const windows = [first, ...first.overflowing!].map(({ ids }) => ids)
      const ordered = truncationSide === 'left' ? windows.reverse() : windows
      expect(ordered.flatMap((ids, i) => (i === 0 ? ids : ids.slice(7))).slice(-43)).toEqual(whole.slice(-43))
      expect(first.truncated).toBe(true)
    }
  })
})
