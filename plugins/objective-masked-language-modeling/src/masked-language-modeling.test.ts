import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import type { HostArray, Objective, Tokenizer } from '@attune/core'
import { key, stream } from '@attune/core'
import { type Masking, masker } from '@attune/data'
import { describe, expect, it } from '@jest/globals'
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

const masking: Masking = {
  probability: 0.15,
  wholeWord: true,
  spans: 'none',
  maximumSpanLength: 10,
  spanProbability: 0.2,
  maskedFraction: 0.8,
  randomFraction: 0.1,
  replace: 'token',
}
/** Masks a text; the random numbers are those of a seed. */
const maskTokens = (ids: number[], seed: number, change: Partial<Masking> = {}, tokenizer = withMask()) =>
  masker(tokenizer, { ...masking, ...change })(ids, stream(key(seed)))
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
    return { given: ids, ...maskTokens(ids, 1000 + i) }
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
      const { positions } = maskTokens(ids, i, { wholeWord: false })
      return positions.some((position) => ids[position]! > 60 && !positions.includes(position - 1))
    })
    expect(alone).toContain(true)
  })

  it('mask at least one token, also of one long word, and none of a text without tokens', () => {
    expect(maskTokens([2, 9, 3], 1).positions).toEqual([1])
    expect(maskTokens([2, 9, 70, 71, 72, 3], 1).positions).toEqual([1])
    expect(maskTokens([2, 3], 1).positions).toEqual([])
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

describe('spans', () => {
  /** A text of words of one token each. */
  const words = (count: number): number[] => [2, ...Array.from({ length: count }, (_, i) => 4 + (i % 30)), 3]
  const isMasked = (masked: { ids: readonly number[] }, at: number): boolean => masked.ids[at] === MASK

  it.each(['none', 'ngram', 'geometric', 'sequence'] as const)(
    '%s mask exactly the fraction of words of one token',
    (spans) => {
      for (let seed = 0; seed < 50; seed++) {
        const { positions } = maskTokens(words(200), seed, { spans })
        expect([spans, positions.length, new Set(positions).size]).toEqual([spans, 30, 30])
        expect(positions.every((position) => position > 0 && position < 201)).toBe(true)
      }
    },
  )

  it.each(['ngram', 'geometric', 'sequence'] as const)('%s mask whole words within the fraction', (spans) => {
    for (let seed = 0; seed < 100; seed++) {
      const ids = text(seed, 40)
      const { positions } = maskTokens(ids, seed, { spans })
      expect(positions.length).toBeLessThanOrEqual(Math.round(0.15 * (ids.length - 2)))
      for (const position of positions) {
        if (ids[position + 1]! > 60) expect(positions).toContain(position + 1)
        if (ids[position]! > 60) expect(positions).toContain(position - 1)
      }
    }
  })

  it('have neighbours that are masked more often the longer they are', () => {
    const share = (change: Partial<Masking>): number => {
      const all = Array.from({ length: 100 }, (_, seed) => maskTokens(words(200), seed, change).positions)
      return all.flatMap((each) => each.map((at) => Number(each.includes(at + 1)))).reduce((a, b) => a + b, 0) / 3000
    }
    const [none, ngram, geometric] = (['none', 'ngram', 'geometric'] as const).map((spans) =>
      share({ spans, maximumSpanLength: spans === 'ngram' ? 3 : 10 }),
    )
    // Of a span of mean length 1.64 or 3.8 all but its last word, less the spans that the budget or another span ends.
    expect(none!).toBeCloseTo(0.15, 1)
    expect(ngram!).toBeGreaterThan(0.38)
    expect(ngram!).toBeLessThan(0.5)
    expect(geometric!).toBeGreaterThan(0.6)
    expect(geometric!).toBeLessThan(0.8)
  })

  it('sequence is one run that starts at every word with the same probability', () => {
    const starts = Array.from({ length: 18 }, () => 0)
    for (let seed = 0; seed < 3600; seed++) {
      const { positions } = maskTokens(words(20), seed, { spans: 'sequence' })
      expect(positions).toEqual([positions[0], positions[0]! + 1, positions[0]! + 2])
      starts[positions[0]! - 1]!++
    }
    const statistic = starts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)
    expect(statistic).toBeLessThan(40.8) // the 0.999 quantile with 17 degrees of freedom
  })

  it('are replaced alike with replace: span, and token by token otherwise', () => {
    const mixed = (replace: 'token' | 'span'): number =>
      Array.from({ length: 200 }, (_, seed) => {
        const masked = maskTokens(words(200), seed, {
          spans: 'sequence',
          replace,
          maskedFraction: 0.5,
          randomFraction: 0,
        })
        return new Set(masked.positions.map((at) => isMasked(masked, at))).size
      }).filter((kinds) => kinds === 2).length
    expect([mixed('span'), mixed('token')]).toEqual([0, expect.any(Number)])
    expect(mixed('token')).toBeGreaterThan(190)
  })

  it('have the given fractions of masks and random tokens', () => {
    const all = maskTokens(words(200), 1, { maskedFraction: 1, randomFraction: 0 })
    expect(all.positions.every((at) => isMasked(all, at))).toBe(true)
    const unchanged = maskTokens(words(200), 1, { maskedFraction: 0, randomFraction: 0 })
    expect(unchanged.ids).toEqual(words(200))
  })
})

it('rejects fractions above 1, and a length of spans without spans', () => {
  const given = { model: tinyModel(), tokenizer: withMask() }
  for (const options of [{ maskedFraction: 0.9, randomFraction: 0.2 }, { maximumSpanLength: 3 }])
    expect(() => maskedLanguageModeling(options, given)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
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

describe('the masking rate of a schedule', () => {
  const masked = (packTo?: number) => {
    const objective = maskedLanguageModeling(
      { wholeWord: false, ...(packTo && { packTo }) },
      {
        model: tinyModel(),
        tokenizer: withMask(),
      },
    ) as Objective
    const items = examples.slice(0, 3).map((example) => objective.encode(example))
    const lengths = items.map(({ length }) => length - 2) // without special tokens
    const collate = (value: number, maximum: number) => {
      const { weights } = objective.collate(items, stream(key(1)), { maskingProbability: { value, maximum } }) as {
        weights: HostArray
      } & ReturnType<Objective['collate']>
      return { shape: weights.shape, masked: [...weights.values].reduce((a, b) => a + b, 0) }
    }
    return { lengths, collate }
  }

  it.each([undefined, 24])('masks the fraction of the step, in arrays for the maximum, packed to %s', (packTo) => {
    const { lengths, collate } = masked(packTo)
    const [low, high] = [collate(0.1, 0.4), collate(0.4, 0.4)]
    const counts = (rate: number) => lengths.reduce((sum, n) => sum + Math.max(1, Math.round(n * rate)), 0)
    expect([low.masked, high.masked]).toEqual([counts(0.1), counts(0.4)])
    expect(low.shape).toEqual(high.shape)
  })
})
