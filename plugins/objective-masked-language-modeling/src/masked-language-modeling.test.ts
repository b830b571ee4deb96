import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import type { HostArray, Objective, Tokenizer } from '@attune/core'
import { key, stream } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { maskTokens } from './mask.js'
import { maskedLanguageModeling } from './masked-language-modeling.js'

const MASK = 40

/** The tokenizer of the suite with a mask token; tokens with the prefix `##` continue a word. */
const withMask = (): Tokenizer => {
  const tiny = tinyTokenizer()
  return { ...tiny, special: { ...tiny.special, mask: MASK }, token: (id) => (id > 60 ? `##${id}` : tiny.token(id)) }
}

const examples = [
  { text: 'a short one' },
  { text: 'the quick brown fox' },
  { text: 'jumps over' },
  { text: 'x' },
  { text: 'a much longer text than the model takes, truncated here' },
  { text: 'seven' },
  { text: 'lazy dogs sleep' },
]

describeObjective(maskedLanguageModeling, {
  given: { model: tinyModel(), tokenizer: withMask() },
  references: [],
  examples,
})
describeObjective(maskedLanguageModeling, {
  options: { packTo: 24 },
  given: { model: tinyModel(), tokenizer: withMask() },
  references: [],
  examples,
})

const masking = { probability: 0.15, wholeWord: true }
/** Words of one to four subwords: the first has an id below 60, the others above. */
const text = (seed: number, words: number): number[] => {
  const random = stream(key(seed))
  const integer = (from: number, to: number): number => from + Math.floor(random() * (to - from))
  const subwords = Array.from({ length: words }, () => [
    integer(4, 39),
    ...Array.from({ length: integer(0, 4) }, () => integer(61, 99)),
  ])
  return [2, ...subwords.flat(), 3]
}

describe('masks', () => {
  const many = Array.from({ length: 400 }, (_, i) => {
    const ids = text(i, 40)
    return { given: ids, ...maskTokens(ids, withMask(), masking, stream(key(1000 + i))) }
  })
  const read = many.flatMap(({ ids, positions, targets }) =>
    positions.map((position, at) => ({ now: ids[position]!, target: targets[at]! })),
  )

  it('mask 15 % of the tokens: 80 % by the mask token, 10 % by a random token, 10 % unchanged', () => {
    const tokens = many.reduce((sum, { given }) => sum + given.length - 2, 0)
    expect(read.length / tokens).toBeGreaterThan(0.14)
    expect(read.length / tokens).toBeLessThan(0.153)
    const fraction = (f: (each: (typeof read)[number]) => boolean): number => read.filter(f).length / read.length
    // The standard deviation of fractions of some 14,000 tokens is at most 0.0042.
    expect(Math.abs(fraction(({ now }) => now === MASK) - 0.8)).toBeLessThan(0.02)
    expect(Math.abs(fraction(({ now, target }) => now === target) - 0.1)).toBeLessThan(0.02)
    expect(
      new Set(read.filter(({ now, target }) => now !== MASK && now !== target).map(({ now }) => now)).size,
    ).toBeGreaterThan(80)
  })

  it('mask whole words, and never a special token', () => {
    for (const { given, positions, targets } of many) {
      const hidden = new Set(positions)
      expect(targets).toEqual(positions.map((position) => given[position]))
      for (const position of positions) {
        expect(given[position]! > 3).toBe(true)
        const continues = given[position + 1]! > 60
        if (continues) expect(hidden.has(position + 1)).toBe(true)
        if (given[position]! > 60) expect(hidden.has(position - 1)).toBe(true)
      }
    }
  })

  it('mask single subwords without whole-word masking', () => {
    const alone = Array.from({ length: 50 }, (_, i) => {
      const ids = text(i, 40)
      const { positions } = maskTokens(ids, withMask(), { ...masking, wholeWord: false }, stream(key(i)))
      return positions.some((position) => ids[position]! > 60 && !positions.includes(position - 1))
    })
    expect(alone).toContain(true)
  })

  it('mask at least one token, also of one long word, and none of a text without tokens', () => {
    expect(maskTokens([2, 9, 3], withMask(), masking, stream(key(1))).positions).toEqual([1])
    expect(maskTokens([2, 9, 70, 71, 72, 3], withMask(), masking, stream(key(1))).positions).toEqual([1])
    expect(maskTokens([2, 3], withMask(), masking, stream(key(1))).positions).toEqual([])
  })

  it('depend on the random numbers in training, and on the text only in evaluation', () => {
    const objective = maskedLanguageModeling({}, { model: tinyModel(), tokenizer: withMask() }) as Objective
    const items = ['the quick brown fox', 'jumps over the dog'].map((words) => objective.encode({ text: words }))
    const positions = (seed?: number): unknown =>
      objective.collate(items, seed === undefined ? undefined : stream(key(seed)))['positions']
    expect(positions(1)).toEqual(positions(1))
    expect(
      [1, 2, 3, 4, 5].map((seed) => JSON.stringify(positions(seed))).every((each, _, all) => each === all[0]),
    ).toBe(false)
    expect(positions()).toEqual(positions())
  })

  it('require a mask token', () => {
    expect(() => maskedLanguageModeling({}, { model: tinyModel(), tokenizer: tinyTokenizer() })).toThrow(
      expect.objectContaining({ code: 'NO_MASK_TOKEN' }),
    )
  })
})

it('truncates a text on the given side', () => {
  const read = (truncationSide?: 'left' | 'right') => {
    const objective = maskedLanguageModeling(
      { maximumLength: 6, ...(truncationSide === undefined ? {} : { truncationSide }) },
      { model: tinyModel(), tokenizer: withMask() },
    )
    const { ids, truncated } = objective.encode({ text: 'abcdefgh' }) as never as { ids: number[]; truncated: boolean }
    return [tinyTokenizer().decode(ids), truncated]
  }
  expect(read('left')).toEqual(['efgh', true])
  expect(read('right')).toEqual(['abcd', true])
  expect(read()).toEqual(['abcd', true])
})

it('returns the index of the text of each masked token in a packed row', () => {
  const packed = maskedLanguageModeling(
    { packTo: 24, maskingProbability: 0.5 },
    { model: tinyModel(), tokenizer: withMask() },
  )
  const items = ['abcde', 'ab', 'abcdefghijklmnop'].map((text) => packed.encode({ text }))
  const { examples, weights, positions, inputs } = packed.collate(items) as unknown as {
    examples: HostArray
    weights: HostArray
    positions: HostArray
    inputs: { segmentIds: HostArray; inputIds: HostArray }
  }
  expect(examples.shape).toEqual(weights.shape)
  const [rows, count] = weights.shape as [number, number]
  const length = inputs.inputIds.shape[1]!
  const segments = new Map<string, Set<number>>()
  for (let i = 0; i < rows * count; i++) {
    if (weights.values[i] !== 1) continue
    const row = Math.floor(i / count)
    const text = `${row}.${inputs.segmentIds.values[row * length + positions.values[i]!]}`
    segments.set(text, (segments.get(text) ?? new Set()).add(Number(examples.values[i])))
  }
  expect([...segments.values()].map(({ size }) => size)).toEqual(items.map(() => 1))
  expect(new Set([...segments.values()].flatMap((each) => [...each]))).toEqual(new Set([0, 1, 2]))
})
