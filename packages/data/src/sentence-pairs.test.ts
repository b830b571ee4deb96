import { describe, expect, it } from '@jest/globals'
import { type Example, key, stream } from '@attune/core'
import { sentencePairs } from './sentence-pairs.js'

/** Each letter is a token, a space is none; the segments of a pair are separated by 1. */
const tokenizer = {
  special: { pad: 0 },
  encode(text: string, { pair, maximumLength = 99 }: { pair?: string; maximumLength?: number } = {}) {
    const both = (pair === undefined ? text : `${text}|${pair}`).replaceAll(' ', '')
    const ids = Array.from(both, (letter) => (letter === '|' ? 1 : letter.charCodeAt(0)))
    return { ids: ids.slice(0, maximumLength), typeIds: ids.slice(0, maximumLength).map(() => 0), truncated: false }
  },
}
const pairsOf = (negatives: 'swapped' | 'random', maximumLength = 99) =>
  sentencePairs({ tokenizer, text: 'text', maximumLength, negatives, labels: ['yes', 'no'] })
const A = { text: ['a', 'b', 'c', 'd'] }
const B = { text: ['w', 'x', 'y', 'z'] }

/** Both segments and the label of the first document in many batches. */
function sampled(pairs: ReturnType<typeof pairsOf>, examples: readonly Example[], count = 200) {
  const items = examples.map((example) => pairs.encode(example))
  const random = stream(key(3))
  return Array.from({ length: count }, () => {
    const { inputs, labels } = pairs.collate(items, random)
    const width = inputs.inputIds.shape[1]!
    const text = String.fromCharCode(...Array.from(inputs.inputIds.values.slice(0, width)).filter((id) => id > 0))
    const [first, second] = text.split('\u0001') as [string, string]
    return { first, second, label: labels.values[0] }
  })
}

describe('sentencePairs', () => {
  it('samples consecutive segments in both orders, equally often', () => {
    const all = sampled(pairsOf('swapped'), [A])
    for (const { first, second, label } of all) expect(label === 0 ? first + second : second + first).toBe('abcd')
    expect(new Set(all.map(({ first }) => first)).size).toBe(6) // three boundaries in two orders
    const share = all.filter(({ label }) => label === 1).length / all.length
    expect(Math.abs(share - 0.5)).toBeLessThan(0.12)
  })

  it('samples second segments of another document, equally often', () => {
    const all = sampled(pairsOf('random'), [A, B])
    for (const { first, second, label } of all) {
      expect(first).toMatch(/^a/)
      expect(label === 0 ? first + second : second).toMatch(label === 0 ? /^abcd$/ : /^[w-z]+$/)
    }
    const share = all.filter(({ label }) => label === 1).length / all.length
    expect(Math.abs(share - 0.5)).toBeLessThan(0.12)
    expect(new Set(all.filter(({ label }) => label === 1).map(({ second }) => second)).size).toBe(4)
  })

  it('takes negatives from a later part of the document in a batch of one, never the next sentence', () => {
    for (const { first, second, label } of sampled(pairsOf('random'), [A])) {
      if (label === 0) expect(first + second).toBe('abcd')
      else expect('abcd'.indexOf(second[0]!)).toBeGreaterThan('abcd'.indexOf(first.at(-1)!) + 1)
    }
    expect(sampled(pairsOf('random'), [{ text: ['a', 'b'] }]).every(({ label }) => label === 0)).toBe(true)
  })

  it('takes as many sentences on both sides of the boundary as fit', () => {
    const long = { text: Array.from('abcdefghij') }
    const all = sampled(pairsOf('swapped', 9), [long])
    for (const { first, second } of all) expect(first.length + second.length).toBeLessThanOrEqual(6)
    expect(all.some(({ first, second }) => first.length === 3 && second.length === 3)).toBe(true)
  })

  it('evaluates a document on the same pair in every batch', () => {
    const pairs = pairsOf('random')
    const [a, b] = [pairs.encode(A), pairs.encode(B)]
    const firstRow = (items: readonly (typeof a)[]) => {
      const { inputIds } = pairs.collate(items).inputs
      return [...inputIds.values].slice(0, inputIds.shape[1]!).filter((id) => id > 0)
    }
    expect(firstRow([a, b])).toEqual(firstRow([a]))
    expect(firstRow([a])).toEqual(a.pair.ids)
    expect(pairs.reference(a)).toEqual(pairs.reference(pairs.encode(A)))
  })

  it('splits texts into sentences, and rejects a document of one', () => {
    expect(pairsOf('swapped').encode({ text: 'Ann sat. Bob ran! Why?' }).sentences).toEqual([
      'Ann sat.',
      'Bob ran!',
      'Why?',
    ])
    for (const text of ['Ann sat.', ['one'], '', ['a', ' ']])
      expect(() => pairsOf('swapped').encode({ text } as never)).toThrow(
        expect.objectContaining({ code: 'ONE_SENTENCE' }),
      )
    for (const text of [3, null, [1, 2]])
      expect(() => pairsOf('swapped').encode({ text } as never)).toThrow(
        expect.objectContaining({ code: 'MISSING_FIELD' }),
      )
  })
})
