import { describe, expect, it } from '@jest/globals'
import type { Tokenizer } from '@attune/core'
import { tinyTokenizer } from '@attune/testkit'
import { tokenBytes, tokenTexts } from './token-bytes.js'
import { readTokens, tokenizerOf } from './vocabulary.test.fixture.js'

const NAMES = ['byte-level', 'wordpiece', 'unclean', 'metaspace', 'fallback', 'words']

describe('tokenBytes', () => {
  it.each(NAMES)('matches what the Rust library decodes in the middle of a text: %s', (name) => {
    const { first, cases } = readTokens(name)
    const bytes = tokenBytes(tokenizerOf(name))
    const seen = new Set<number>()
    for (const { ids, text } of cases) {
      const all = ids.slice(1).flatMap((id) => [...(bytes[id] ?? [])])
      expect(first + new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(all))).toBe(text)
      for (const id of ids) seen.add(id)
    }
    expect(seen.size).toBeGreaterThan((name === 'fallback' ? 0.7 : 0.99) * bytes.length)
  })

  it('returns a single byte for each byte token', () => {
    for (const name of ['byte-level', 'fallback']) {
      const single = tokenBytes(tokenizerOf(name)).flatMap((bytes) => (bytes?.length === 1 ? [bytes[0]] : []))
      expect(new Set(single).size).toBe(256)
    }
  })

  it('returns undefined for special tokens', () => {
    const tokenizer = tokenizerOf('byte-level')
    const bytes = tokenBytes(tokenizer)
    expect(bytes[tokenizer.id('<|end|>')!]).toBeUndefined()
    expect(bytes[tokenizer.id('<s>')!]).toBeUndefined()
    expect(bytes[tokenizer.id('<tool>')!]).toEqual(new TextEncoder().encode('<tool>'))
  })

  it.each(['byte-level', 'metaspace', 'unclean'])('guesses the spelling from a vocabulary alone: %s', (name) => {
    const tokenizer = tokenizerOf(name)
    const special = Object.fromEntries(['<unk>', '<s>', '</s>', '<|end|>'].map((token) => [token, tokenizer.id(token)]))
    expect(tokenTexts({ ...tokenizer, special, files: () => ({}) } as Tokenizer)).toEqual(tokenTexts(tokenizer))
  })

  it('returns tokens unchanged if the vocabulary has no known markers', () => {
    const bytes = tokenBytes(tinyTokenizer())
    expect(bytes.slice(0, 6)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      Uint8Array.of(32),
      Uint8Array.of(33),
    ])
  })

  it('rejects an unknown decoder', () => {
    const tokenizer = { ...tokenizerOf('words'), files: () => ({ 'tokenizer.json': { decoder: { type: 'CTC' } } }) }
    expect(() => tokenBytes(tokenizer)).toThrow(expect.objectContaining({ code: 'UNKNOWN_DECODER' }))
  })
})
