import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Encoding, type Example, type HostArray, type Tokenizer, key } from '@attune/core'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import type { Tensor } from '@tensorflow/tfjs-core'
import { alignWords, wordsOf } from '@attune/data'
import { tokenClassification } from './token-classification.js'

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
describeObjective(tokenClassification, {
  examples,
  references: ['tags'],
  options: { crf: true, scheme: 'BIOES', entities: 'first' },
})

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
  const words = (text: string): readonly string[] => wordsOf(text).words

  it('splits a text at spaces and around punctuation marks, and returns the index of each word', () => {
    expect(words("Ada didn't meet\t(Charles), 3.5 years ago.\n")).toEqual([
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
    expect(words('Ада Լավ')).toEqual(['Ада', 'Լավ'])
    expect(words('東京へ行く').join('')).toBe('東京へ行く')
    expect(words('東京へ行く').length).toBeGreaterThan(1)
  })

  it('returns one empty word for a text without words', () => {
    expect(words('')).toEqual([''])
    expect(words(' \n')).toEqual([''])
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

const golden = JSON.parse(readFileSync('golden/entities.json', 'utf8')) as {
  readonly source: string
  readonly labels: string[]
  readonly cases: readonly {
    readonly words: string[]
    readonly offsets: [number, number][]
    readonly logits: number[][]
    readonly expected: Readonly<Record<'simple' | 'first' | 'average' | 'max', { score: number }[]>>
  }[]
}

describe('the view entities', () => {
  it.each(['simple', 'first', 'average', 'max'] as const)(`matches ${golden.source}, aggregation %s`, (entities) => {
    for (const { words, offsets, logits, expected } of golden.cases) {
      const objective = tokenClassification(
        { labels: golden.labels, entities },
        { ...given, tokenizer: tokenizerOf(...offsets) },
      )
      const special = golden.labels.map(() => 9)
      const values = Float32Array.from([special, ...logits, special].flat())
      const shape = [1, offsets.length + 2, golden.labels.length]
      const [found] = objective.predict({ shape, dtype: 'float32', values }, [objective.encodeUnlabelled({ words })])
      const close = expected[entities].map((each) => ({ ...each, score: expect.closeTo(each.score, 6) }))
      expect(found!['entities']).toEqual(close.map((each) => expect.objectContaining(each)))
    }
  })

  it('has the characters of a text that was split, and those of the reference', () => {
    const objective = tokenClassification({ labels: ['O', 'B-PER', 'I-PER'], entities: 'first' }, given)
    const text = objective.encodeUnlabelled({ words: 'ab  (cd e)' })
    const values = new Float32Array(3 * 16)
    for (const [i, position] of (text as never as { positions: number[] }).positions.entries())
      values[3 * position + [0, 0, 1, 2, 0][i]!] = 1
    const [found] = objective.predict({ shape: [1, 16, 3], dtype: 'float32', values }, [text])
    expect(found!['entities']).toEqual([expect.objectContaining({ label: 'PER', text: 'cd e', start: 5, end: 9 })])
    const labelled = objective.encode({ words: ['a', 'bc', 'd'], tags: ['O', 'B-PER', 'I-PER'] })
    expect(objective.reference(labelled)['entities']).toEqual([{ label: 'PER', text: 'bc d', start: 2, end: 6 }])
  })
})

const learned = async (options: object, rows: readonly Example[]) => {
  async function* all() {
    yield* await Promise.resolve(rows)
  }
  return tokenClassification.fit!(tokenClassification.options.parse(options), all)
}

describe('a scheme', () => {
  const row = { words: ['a', 'b', 'c', 'd'], tags: ['I-PER', 'I-PER', 'B-PER', 'O'] }

  it('converts the tags of another one, and learns all its tags', async () => {
    const options = await learned({ scheme: 'BILOU' }, [row])
    expect(options).toMatchObject({ labels: ['O', 'B-PER', 'I-PER', 'L-PER', 'U-PER'] })
    const objective = tokenClassification(options, given)
    expect(objective.reference(objective.encode(row))).toEqual({ tokens: ['B-PER', 'L-PER', 'U-PER', 'O'] })
  })
})

describe('crf', () => {
  const tags = ['O', 'B-PER', 'I-PER']

  it('decodes valid tags of the scheme, whatever the logits, and others without a scheme', () => {
    const values = Float32Array.from(
      [
        [9, 9, 9],
        [0, 1, 5],
        [0, 1, 5],
      ].flat(),
    )
    const array = (values: Float32Array, ...shape: number[]) => ({ shape, dtype: 'float32' as const, values })
    const none = [0, 1, 2].map(() => 0)
    const predict = (scheme?: 'BIO') => {
      const objective = tokenClassification({ labels: tags, crf: true, ...(scheme ? { scheme } : {}) }, given)
      const forbidden = scheme === undefined ? 0 : -1e4
      const transitions = [[0, 0, forbidden], none, none].flat()
      const outputs = {
        logits: array(values, 1, 3, 3),
        start: array(Float32Array.of(0, 0, forbidden), 3),
        end: array(Float32Array.from(none), 3),
        transitions: array(Float32Array.from(transitions), 3, 3),
      }
      return objective.predict(outputs, [objective.encodeUnlabelled({ words: ['a'] })])[0]!['tokens']
    }
    expect([predict('BIO'), predict()]).toEqual([['B-PER'], ['I-PER']])
  })

  it('initializes scores named as in pytorch-crf within ±0.1, and notes itself in config.json', () => {
    const objective = tokenClassification({ labels: tags, crf: true, scheme: 'BIO' }, given)
    const params = objective.init(key(1))
    const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, shape]))
    expect(shapes).toMatchObject({
      'crf.start_transitions': [3],
      'crf.end_transitions': [3],
      'crf.transitions': [3, 3],
    })
    const largest = Math.max(...params['crf.transitions']!.dataSync().map(Math.abs))
    expect(largest).toBeGreaterThan(0.01)
    expect(largest).toBeLessThanOrEqual(0.1)
    expect(objective.config).toMatchObject({ crf: true, tagging_scheme: 'BIO' })
  })

  it('is refused with a loss of its own, a single label, and entities of several tokens', () => {
    const losses = [{ compares: 'labels' as const, losses: (outputs: Tensor) => outputs }]
    expect(() => tokenClassification({ labels: tags, crf: true }, { ...given, losses })).toThrow(
      expect.objectContaining({ code: 'LOSS_MISMATCH' }),
    )
    expect(() => tokenClassification({ labels: ['O'], crf: true }, given)).toThrow(
      expect.objectContaining({ code: 'NO_LABELS', problem: expect.stringContaining('got O') as unknown }),
    )
    expect(() => tokenClassification({ labels: tags, crf: true, entities: 'max' }, given)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS' }),
    )
  })
})
