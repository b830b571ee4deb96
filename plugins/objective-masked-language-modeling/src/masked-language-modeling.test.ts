import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import type { HostArray, Objective, Tokenizer } from '@attune/core'
import { key, stream } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { maskTokens } from './mask.js'
import { maskedLanguageModeling } from './masked-language-modeling.js'

const MASK = 40

/** The tokenizer of the suite, with a mask; `#` and what follows goes on with a word. */
const withMask = (): Tokenizer => {
  const tiny = tinyTokenizer()
  return { ...tiny, special: { ...tiny.special, mask: MASK }, token: (id) => (id > 60 ? `##${id}` : tiny.token(id)) }
}

const examples = [
  { text: 'a short one' },
  { text: 'the quick brown fox' },
  { text: 'jumps over' },
  { text: 'x' },
  { text: 'a much longer text than the model takes, which is cut' },
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
/** Words of one to four pieces: a first piece below 60, then pieces above. */
const text = (seed: number, words: number): number[] => {
  const random = stream(key(seed))
  const draw = (from: number, to: number): number => from + Math.floor(random() * (to - from))
  const pieces = Array.from({ length: words }, () => [
    draw(4, 39),
    ...Array.from({ length: draw(0, 4) }, () => draw(61, 99)),
  ])
  return [2, ...pieces.flat(), 3]
}

describe('masks', () => {
  const many = Array.from({ length: 400 }, (_, i) => {
    const ids = text(i, 40)
    return { given: ids, ...maskTokens(ids, withMask(), masking, stream(key(1000 + i))) }
  })
  const read = many.flatMap(({ ids, places, targets }) =>
    places.map((place, at) => ({ now: ids[place]!, target: targets[at]! })),
  )

  it('hide 15 % of the tokens: 80 % by the mask, 10 % by any token, 10 % not at all', () => {
    const tokens = many.reduce((sum, { given }) => sum + given.length - 2, 0)
    expect(read.length / tokens).toBeGreaterThan(0.14)
    expect(read.length / tokens).toBeLessThan(0.153)
    const share = (f: (each: (typeof read)[number]) => boolean): number => read.filter(f).length / read.length
    // Spreads of shares among some 14,000 are at most 0.0042.
    expect(Math.abs(share(({ now }) => now === MASK) - 0.8)).toBeLessThan(0.02)
    expect(Math.abs(share(({ now, target }) => now === target) - 0.1)).toBeLessThan(0.02)
    expect(
      new Set(read.filter(({ now, target }) => now !== MASK && now !== target).map(({ now }) => now)).size,
    ).toBeGreaterThan(80)
  })

  it('hide words whole, and never a special token', () => {
    for (const { given, places, targets } of many) {
      const hidden = new Set(places)
      expect(targets).toEqual(places.map((place) => given[place]))
      for (const place of places) {
        expect(given[place]! > 3).toBe(true)
        const goesOn = given[place + 1]! > 60
        if (goesOn) expect(hidden.has(place + 1)).toBe(true)
        if (given[place]! > 60) expect(hidden.has(place - 1)).toBe(true)
      }
    }
  })

  it('hide single pieces too, when words need not be whole', () => {
    const alone = Array.from({ length: 50 }, (_, i) => {
      const ids = text(i, 40)
      const { places } = maskTokens(ids, withMask(), { ...masking, wholeWord: false }, stream(key(i)))
      return places.some((place) => ids[place]! > 60 && !places.includes(place - 1))
    })
    expect(alone).toContain(true)
  })

  it('hide one token at least, of one long word too, and none where there is none', () => {
    expect(maskTokens([2, 9, 3], withMask(), masking, stream(key(1))).places).toEqual([1])
    expect(maskTokens([2, 9, 70, 71, 72, 3], withMask(), masking, stream(key(1))).places).toEqual([1])
    expect(maskTokens([2, 3], withMask(), masking, stream(key(1))).places).toEqual([])
  })

  it('are the same from the same random numbers, and others from others; in evaluation they are a text’s own', () => {
    const objective = maskedLanguageModeling({}, { model: tinyModel(), tokenizer: withMask() }) as Objective
    const items = ['the quick brown fox', 'jumps over the dog'].map((words) => objective.encode({ text: words }))
    const places = (seed?: number): unknown =>
      objective.collate(items, seed === undefined ? undefined : stream(key(seed)))['places']
    expect(places(1)).toEqual(places(1))
    expect([1, 2, 3, 4, 5].map((seed) => JSON.stringify(places(seed))).every((each, _, all) => each === all[0])).toBe(
      false,
    )
    expect(places()).toEqual(places())
  })

  it('need a token to hide with, and say so', () => {
    expect(() => maskedLanguageModeling({}, { model: tinyModel(), tokenizer: tinyTokenizer() })).toThrow(
      expect.objectContaining({ code: 'NO_MASK_TOKEN' }),
    )
  })
})

it('cuts the end of a text that it is told to', () => {
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

it('says of which text each hidden token of a packed row is', () => {
  const packed = maskedLanguageModeling(
    { packTo: 24, maskingProbability: 0.5 },
    { model: tinyModel(), tokenizer: withMask() },
  )
  const items = ['abcde', 'ab', 'abcdefghijklmnop'].map((text) => packed.encode({ text }))
  const { examples, weights, places, inputs } = packed.collate(items) as unknown as {
    examples: HostArray
    weights: HostArray
    places: HostArray
    inputs: { segmentIds: HostArray; inputIds: HostArray }
  }
  expect(examples.shape).toEqual(weights.shape)
  const [rows, count] = weights.shape as [number, number]
  const length = inputs.inputIds.shape[1]!
  const segments = new Map<string, Set<number>>()
  for (let i = 0; i < rows * count; i++) {
    if (weights.values[i] !== 1) continue
    const row = Math.floor(i / count)
    const text = `${row}.${inputs.segmentIds.values[row * length + places.values[i]!]}`
    segments.set(text, (segments.get(text) ?? new Set()).add(Number(examples.values[i])))
  }
  expect([...segments.values()].map(({ size }) => size)).toEqual(items.map(() => 1))
  expect(new Set([...segments.values()].flatMap((each) => [...each]))).toEqual(new Set([0, 1, 2]))
})
