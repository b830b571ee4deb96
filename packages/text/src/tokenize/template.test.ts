import { describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

const words = { type: 'WordLevel', unk_token: '?', vocab: { '?': 0, a: 1 } }

describe('windows', () => {
  const { encode } = tokenizerOf(
    { json: { model: words, pre_tokenizer: { type: 'WhitespaceSplit' } }, config: {} },
    { name: 'x', type: 'WordLevel' },
  )
  const refused = expect.objectContaining({
    code: 'BAD_STRIDE',
    problem: expect.stringContaining('the windows of a text'),
  })

  it('reject a stride that repeats a text hundreds of times', () => {
    const text = 'a '.repeat(100_000)
    expect(() => encode(text, { offsets: true, maximumLength: 100, stride: 99 })).toThrow(refused)
    expect(() => encode(text, { maximumLength: 600, stride: 100, pair: text })).toThrow(refused)
    expect(encode(text, { offsets: true, maximumLength: 384, stride: 128 }).overflowing).toHaveLength(390)
  })
})
