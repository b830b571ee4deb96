import { describe, expect, it } from '@jest/globals'
import type { Encoding, HostArray, Tokenizer } from '@attune/core'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import { alignWords } from './align-words.js'
import { tokenClassification } from './token-classification.js'
import { wordsOf } from './words-of.js'

const examples = [
  { words: ['Ada', 'met', 'Bob'], tags: ['NAME', 'O', 'NAME'] },
  { words: ['it', 'is', 'late'], tags: ['O', 'O', 'O'] },
  { words: ['x'], tags: ['O'] },
  { words: ['a', 'text', 'of', 'more', 'words', 'than', 'the', 'model', 'reads'], tags: Array(9).fill('O') },
  { words: ['Rome', '!'], tags: ['LOCATION', 'O'] },
  { words: ['in', 'Oslo', '日本語'], tags: ['O', 'LOCATION', 'LOCATION'] },
  { words: ['no', ''], tags: ['O', '__proto__'] },
]

describeObjective(tokenClassification, { examples, references: ['tags'] })

const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
const labels = ['NAME', 'O']

/** A tokenizer with the given token offsets; the first and the last token are special. */
const tokenizerOf = (...offsets: [number, number][]): Tokenizer => ({
  ...tinyTokenizer(),
  encode: (): Encoding => ({
    ids: [2, ...offsets.map(() => 9), 3],
    typeIds: [0, ...offsets.map(() => 0), 0],
    truncated: false,
    offsets: [[0, 0], ...offsets, [0, 0]],
    specialMask: [1, ...offsets.map(() => 0), 1],
  }),
})

describe('alignWords', () => {
  const positions = (words: string[], ...offsets: [number, number][]) =>
    alignWords(tokenizerOf(...offsets), words, {}).positions

  it('returns the first token of each word, with or without the space before it', () => {
    expect(positions(['ab', 'cd'], [0, 1], [1, 2], [3, 5])).toEqual([1, 3])
    expect(positions(['ab', 'cd'], [0, 2], [2, 4], [4, 5])).toEqual([1, 2])
  })

  it('skips a space that is a token of its own', () =>
    expect(positions(['ab', 'cd'], [0, 2], [2, 3], [3, 5])).toEqual([1, 3]))

  it('returns −1 for a word that was truncated, is empty, has no token, or shares that of the word before', () => {
    expect(positions(['ab', 'cd', 'ef'], [0, 2], [3, 5])).toEqual([1, 2, -1])
    expect(positions(['ab', '', 'cd'], [0, 2], [4, 6])).toEqual([1, -1, 2])
    expect(positions(['ab', '\u0000', 'cd'], [0, 2], [5, 7])).toEqual([1, -1, 2])
    expect(positions(['ab', 'cd', 'ef'], [0, 5], [6, 8])).toEqual([1, -1, 2])
  })
})

describe('wordsOf', () => {
  it('splits a text at spaces and around punctuation marks', () => {
    expect(wordsOf("Ada didn't meet\t(Charles), 3.5 years ago.\n")).toEqual([
      'Ada',
      "didn't",
      'meet',
      '(',
      'Charles',
      ')',
      ',',
      '3.5',
      'years',
      'ago',
      '.',
    ])
    expect(wordsOf('Ада Լավ')).toEqual(['Ада', 'Լավ'])
    expect(wordsOf('東京へ行く').join('')).toBe('東京へ行く')
    expect(wordsOf('東京へ行く').length).toBeGreaterThan(1)
  })

  it('returns one empty word for a text without words', () => {
    expect(wordsOf('')).toEqual([''])
    expect(wordsOf(' \n')).toEqual([''])
  })
})

describe('objective token-classification', () => {
  const objective = tokenClassification({ labels, padToMultipleOf: 4 }, given)

  it('splits a text into words for prediction, and returns them, but not for training', () => {
    const text = objective.encodeUnlabelled({ words: 'ab, c' })
    const list = objective.encodeUnlabelled({ words: ['ab', ',', 'c'] })
    expect(objective.collate([text])).toEqual(objective.collate([list]))
    const logits = { shape: [1, 8, 2], dtype: 'float32', values: new Float32Array(16).fill(1) } as const
    const tokens = ['NAME', 'NAME', 'NAME']
    expect(objective.predict(logits, [text])).toEqual([{ words: ['ab', ',', 'c'], tokens }])
    expect(objective.predict(logits, [list])).toEqual([{ tokens }])
    expect(() => objective.encode({ words: 'ab, c', tags: ['O', 'O'] })).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD' }),
    )
  })

  it('has a label at the first token of each word, and nowhere else', () => {
    const items = [
      { words: ['ab', 'c'], tags: ['NAME', 'O'] },
      { words: ['d'], tags: ['O'] },
    ].map((example) => objective.encode(example))
    const { targets, weights } = objective.collate(items) as never as Record<string, HostArray>
    // begin a b space c end
    expect([...targets!.values]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    expect([...weights!.values]).toEqual([0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    expect(objective.reference(items[0]!)).toEqual({ tokens: ['NAME', 'O'] })
  })

  it('predicts the argmax label of each word, and the empty string for a truncated one', () => {
    const short = tokenClassification({ labels, maximumLength: 4 }, given)
    const item = short.encodeUnlabelled({ words: ['a', 'b', 'c'] })
    const values = Float32Array.of(9, 0, 1, 2, 9, 0, 0, 9)
    expect(short.predict({ shape: [1, 4, 2], dtype: 'float32', values } as never, [item])).toEqual([
      { tokens: ['O', '', ''] },
    ])
  })

  it('rejects a wrong number of labels, a text instead of words, and an unknown label', () => {
    const code = (code: string) => expect.objectContaining({ code })
    expect(() => objective.encode({ words: ['a', 'b'], tags: ['O'] })).toThrow(code('TAG_COUNT'))
    expect(() => objective.encode({ words: 'a b', tags: ['O', 'O'] })).toThrow(code('MISSING_FIELD'))
    expect(() => objective.encode({ words: [], tags: [] })).toThrow(code('MISSING_FIELD'))
    expect(() => objective.encode({ words: ['a'], tags: ['NAM'] })).toThrow(code('UNKNOWN_LABEL'))
    expect(() => tokenClassification({}, given)).toThrow(code('NO_LABELS'))
  })
})

it('truncates a text on the given side, and keeps the labels aligned with their words', () => {
  const read = (truncationSide: 'left' | 'right') => {
    const objective = tokenClassification({ labels, maximumLength: 6, truncationSide }, given)
    const item = objective.encode({ words: ['ab', 'c', 'd'], tags: ['O', 'NAME', 'O'] })
    const { encoding, positions } = item as never as { encoding: Encoding; positions: number[] }
    return [tinyTokenizer().decode(encoding.ids), positions]
  }
  expect(read('left')).toEqual([' c d', [-1, 2, 4]])
  expect(read('right')).toEqual(['ab c', [1, 4, -1]])
})
