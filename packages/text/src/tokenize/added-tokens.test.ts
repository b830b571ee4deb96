import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { tokenizerOf } from './tokenizer-of.js'

const { tokenizer: json } = JSON.parse(
  gunzipSync(readFileSync('golden/encodings-word-piece.json.gz')).toString(),
) as Readonly<Record<string, Record<string, unknown>>>
const kind = { name: 'wordpiece', type: 'WordPiece' } as const
const plain = tokenizerOf({ json }, kind)
const more = tokenizerOf({ json, addedTokens: ['<tool>', '<tool', '[SEP]', '<tool>'] }, kind)

describe('added tokens', () => {
  it('get ids after all others, without duplicates or tokens of the vocabulary', () => {
    expect(more.vocabularySize).toBe(plain.vocabularySize + 2)
    expect([more.id('<tool>'), more.id('<tool')]).toEqual([plain.vocabularySize, plain.vocabularySize + 1])
    expect(more.id('[SEP]')).toBe(plain.id('[SEP]'))
  })

  it('are matched verbatim, longest first, and leave other texts unchanged', () => {
    const { ids, offsets } = more.encode('a<tool>b <tool x', { addSpecialTokens: false, offsets: true })
    const [a, b, x] = ['a', 'b', 'x'].map((text) => plain.encode(text, { addSpecialTokens: false }).ids[0])
    expect(ids).toEqual([a, more.id('<tool>'), b, more.id('<tool'), x])
    expect(offsets![1]).toEqual([1, 7])
    expect(more.encode('a whole sentence.').ids).toEqual(plain.encode('a whole sentence.').ids)
    expect(more.decode(more.encode('a <tool> b').ids)).toContain('<tool>')
  })

  it('are saved in the files', () => {
    const twin = tokenizerOf({ json: more.files()['tokenizer.json'] as Record<string, unknown> }, kind)
    expect(twin.encode('a<tool>b')).toEqual(more.encode('a<tool>b'))
  })
})
