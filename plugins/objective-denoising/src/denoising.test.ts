import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type HostArray, type Tokenizer, key, stream } from '@attune/core'
import { deleteUnits } from '@attune/data'
import { describeObjective, tinyEncoderDecoder, tinyModel, tinyTokenizer } from '@attune/testkit'
import { denoising } from './denoising.js'
import {
  corruptSpans,
  infill,
  maskEach,
  permuteSentences,
  rotateDocument,
  shuffleUnits,
  spanCounts,
  spanMask,
} from './noise.js'

const MASK = 40

/** The tokenizer of the suite with a mask token and three sentinels. */
const tokenizer = ((): Tokenizer => {
  const tiny = tinyTokenizer()
  return {
    ...tiny,
    special: { ...tiny.special, mask: MASK },
    id: (token) => (/^<extra_id_[0-2]>$/.test(token) ? 41 + Number(token.at(-2)) : tiny.id(token)),
  }
})()
const given = { model: tinyEncoderDecoder(), tokenizer }

const examples = [
  { text: 'a short one' },
  { text: 'One. Two. Three.' },
  { text: 'jumps over' },
  { text: 'x' },
  { text: 'a much longer text than the model takes, truncated here' },
  { text: '' },
  { text: 'lazy dogs sleep' },
]

for (const options of [{}, { noise: 'spans' }, { noise: 'deletion', permuteSentences: true, rotate: true }])
  describeObjective(denoising, { options, given, references: [], examples })

/** Tokens 100, 101, …, each a unit. */
const tokens = (count: number): number[] => Array.from({ length: count }, (_, i) => 100 + i)
const single = (ids: readonly number[]): number[][] => ids.map((_, i) => [i])
const seeds = (count: number): (() => number)[] => Array.from({ length: count }, (_, seed) => stream(key(seed)))
const chiSquare = (counts: readonly number[], expected: number): number =>
  counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)

describe('text infilling', () => {
  const ids = tokens(100)
  const filled = seeds(400).map((random) => infill(ids, single(ids), 30, { mean: 3, mask: MASK, random }))

  it('drops exactly the fraction, keeps the order of the others, and never makes a text longer', () => {
    for (const found of filled) {
      const kept = found.filter((id) => id !== MASK)
      expect(kept).toHaveLength(70)
      expect(kept).toEqual([...kept].sort((a, b) => a - b))
      expect(found.length).toBeLessThanOrEqual(100)
    }
  })

  it('has a mask for each span of mean length 3, and for the spans of length 0', () => {
    const masks = filled.map((found) => found.filter((id) => id === MASK).length)
    const mean = masks.reduce((sum, count) => sum + count, 0) / masks.length
    // At least 30 / 3 spans, of length 0 too; some end early at another span.
    expect(mean).toBeGreaterThan(10)
    expect(mean).toBeLessThan(16)
    const alone = filled.flatMap((found) =>
      found.map((id, at) => id === MASK && found[at + 1] === (found[at - 1] ?? 0) + 1),
    )
    expect(alone).toContain(true)
  })

  it('does not drop parts of words', () => {
    const words = [[0, 1, 2], [3], [4, 5], [6, 7, 8, 9]]
    for (const random of seeds(100)) {
      const found = infill(tokens(10), words, 4, { mean: 1, mask: MASK, random })
      for (const word of words) expect([0, word.length]).toContain(word.filter((at) => found.includes(100 + at)).length)
    }
  })
})

describe('other noise of BART', () => {
  const ids = tokens(20)

  it('masks, or deletes, exactly the fraction of the tokens', () => {
    for (const random of seeds(50)) {
      const masked = maskEach(ids, single(ids), 6, MASK, random)
      expect(masked.filter((id) => id === MASK)).toHaveLength(6)
      expect(masked.every((id, at) => id === MASK || id === ids[at])).toBe(true)
      const deleted = deleteUnits(ids, single(ids), 6, random)
      expect(deleted).toEqual(ids.filter((id) => deleted.includes(id)))
      expect(deleted).toHaveLength(14)
    }
    expect(deleteUnits([7], [[0]], 1, Math.random)).toEqual([7])
  })

  it('permutes sentences with equal probabilities', () => {
    const counts = new Map<string, number>()
    for (const random of seeds(3000)) {
      const found = permuteSentences(tokens(6), [0, 1, 3], random).join()
      counts.set(found, (counts.get(found) ?? 0) + 1)
    }
    expect([...counts.keys()]).toContain('101,102,100,103,104,105')
    expect(counts.size).toBe(6)
    expect(chiSquare([...counts.values()], 500)).toBeLessThan(20.5) // the 0.999 quantile with 5 degrees of freedom
  })

  it('shuffles units, and keeps their tokens together', () => {
    const units = [[0, 1], [2], [3, 4, 5]]
    const found = new Set(seeds(100).map((random) => shuffleUnits(tokens(6), units, random).join()))
    expect(found.size).toBe(6)
    expect(found).toContain('103,104,105,102,100,101')
  })

  it('rotates a document to every token with equal probability', () => {
    const counts = Array.from({ length: 5 }, () => 0)
    for (const random of seeds(2500)) {
      const found = rotateDocument(tokens(5), random)
      const start = found[0]! - 100
      expect(found).toEqual([...tokens(5).slice(start), ...tokens(5).slice(0, start)])
      counts[start]!++
    }
    expect(chiSquare(counts, 500)).toBeLessThan(18.5) // 4 degrees of freedom
  })
})

describe('span corruption', () => {
  const golden = JSON.parse(readFileSync('golden/span-counts.json', 'utf8')) as {
    readonly source: string
    readonly cases: readonly { fraction: number; mean: number; counts: [noise: number, spans: number][] }[]
  }

  it(`has the numbers of tokens and spans of ${golden.source}`, () => {
    for (const { fraction, mean, counts } of golden.cases)
      for (const [i, expected] of counts.entries()) {
        const { noise, spans } = spanCounts(i + 2, fraction, mean)
        // The original has no masks where fewer tokens are kept than there are spans.
        expect([i + 2, noise, spans]).toEqual([i + 2, expected[0], Math.min(expected[1], i + 2 - expected[0])])
      }
  })

  it('has masks of these numbers without adjacent spans, that begin with a kept token and end with a corrupted one', () => {
    for (const [length, random] of seeds(300).map((random, i) => [2 + (i % 60), random] as const)) {
      const counts = spanCounts(length, 0.3, 2)
      const mask = spanMask(length, counts, random)
      expect(mask).toHaveLength(length)
      expect(mask.filter((bit) => bit === 1)).toHaveLength(counts.noise)
      expect(mask.filter((bit, at) => bit === 1 && mask[at - 1] !== 1)).toHaveLength(counts.spans)
      expect([mask[0], mask.at(-1)]).toEqual([0, 1])
    }
    expect([
      spanMask(1, { noise: 0, spans: 1 }, Math.random),
      spanMask(0, { noise: 0, spans: 0 }, Math.random),
    ]).toEqual([[0], []])
  })

  it('has every mask with the same probability', () => {
    const counts = new Map<string, number>()
    for (const random of seeds(4500)) {
      const mask = spanMask(8, { noise: 4, spans: 2 }, random).join('')
      counts.set(mask, (counts.get(mask) ?? 0) + 1)
    }
    expect(counts.size).toBe(9)
    expect(chiSquare([...counts.values()], 500)).toBeLessThan(26.1) // 8 degrees of freedom
  })

  it('replaces each span by its own sentinel, which precedes it in the target', () => {
    expect(corruptSpans([1, 2, 3, 4, 5], [0, 1, 1, 0, 1], [41, 42])).toEqual({
      ids: [1, 41, 4, 42],
      target: [41, 2, 3, 42, 5],
    })
  })
})

describe('objective denoising', () => {
  it('has the text as the target, with its special tokens, and the decoder reads it shifted', () => {
    const objective = denoising({ noise: 'masking', padToMultipleOf: 1 }, given)
    const item = objective.encode({ text: 'abcd' })
    const { inputs, targets } = objective.collate([item]) as never as Record<string, Record<string, HostArray>>
    const plain = tokenizer.encode('abcd').ids
    expect([...(targets as never as HostArray).values]).toEqual(plain)
    expect([...inputs!['decoderInputIds']!.values]).toEqual([7, ...plain.slice(0, -1)])
    const read = [...inputs!['inputIds']!.values]
    expect(read.filter((id) => id === MASK)).toHaveLength(1)
    expect(read.every((id, at) => id === MASK || id === plain[at])).toBe(true)
  })

  it('uses at most as many spans as there are sentinels', () => {
    const objective = denoising({ noise: 'spans', noiseFraction: 0.5, meanSpanLength: 1 }, given)
    const { tokens } = objective.reference(objective.encode({ text: 'abcdefghi' })) as { tokens: string[] }
    const ids = [41, 42, 43].map((id) => tokenizer.token(id)!)
    expect(tokens.filter((token) => ids.includes(token))).toEqual(ids)
  })

  it('permutes sentences at their tokens', () => {
    const objective = denoising({ noise: 'none', permuteSentences: true }, given)
    const item = objective.encode({ text: 'A b. C d.' })
    const texts = seeds(10).map((random) => {
      const { values } = (objective.collate([item], random).inputs as Record<string, HostArray>)['inputIds']!
      return tokenizer.decode(Array.from(values, Number))
    })
    expect(new Set(texts)).toEqual(new Set(['A b. C d.', 'C d.A b. ']))
  })

  it('depends on the random numbers in training, and on the text only in evaluation', () => {
    const objective = denoising({}, given)
    const items = [objective.encode({ text: 'abcdefgh' })]
    const ids = (seed?: number) =>
      JSON.stringify(objective.collate(items, seed === undefined ? undefined : stream(key(seed))).inputs['inputIds'])
    expect(new Set([1, 2, 3, 4, 5].map(ids)).size).toBeGreaterThan(1)
    expect([ids(1), ids()]).toEqual([ids(1), ids()])
  })

  it.each([
    ['NO_MASK_TOKEN', {}, { ...given, tokenizer: tinyTokenizer() }],
    ['NO_SENTINEL_TOKENS', { noise: 'spans' as const }, { ...given, tokenizer: tinyTokenizer() }],
    ['BAD_OPTIONS', { noise: 'spans' as const, rotate: true }, given],
    ['NO_SUCH_HEAD', {}, { ...given, model: tinyModel() }],
  ])('throws %s', (code, options, needed) => {
    expect(() => denoising(options, needed)).toThrow(expect.objectContaining({ code }))
  })
})
