import { describeAugmenter } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { wordDeletion } from './word-deletion.js'

const example = { text: 'one two  three', label: 'a' }

describeAugmenter(wordDeletion, {
  options: { probability: 0.5, copies: 2 },
  examples: [example, { text: 'one', label: 'b' }, { text: '' }, { text: ' \n' }, { text: 7 }, { label: 'no text' }],
  cases: [
    {
      options: { probability: 0.5 },
      example,
      random: [0.4, 0.6, 0.5],
      expected: [example, { text: 'two', label: 'a' }],
    },
    {
      options: { probability: 0.5, keepOriginal: false, copies: 2 },
      example,
      random: [0.6, 0.4, 0.7],
      expected: [
        { text: 'one three', label: 'a' },
        { text: 'one three', label: 'a' },
      ],
    },
    // Every word would be deleted: the next random number chooses the one to keep.
    {
      options: { probability: 0.9, keepOriginal: false },
      example,
      random: [0.5],
      expected: [{ text: 'two', label: 'a' }],
    },
    { options: { keepOriginal: false }, example: { text: 'one' }, random: [0], expected: [{ text: 'one' }] },
    { options: { text: 'body' }, example, random: [0], expected: [example] },
  ],
})

describe('word-deletion', () => {
  it('deletes words at the given rate', () => {
    const text = Array.from({ length: 10_000 }, (_, i) => `w${i}`).join(' ')
    const [copy] = wordDeletion({ probability: 0.3, keepOriginal: false }).augment({ text }, stream(key(1)))
    const kept = String(copy!['text']).split(' ').length
    expect(Math.abs(kept - 7000)).toBeLessThan(4 * Math.sqrt(10_000 * 0.3 * 0.7))
  })
})
