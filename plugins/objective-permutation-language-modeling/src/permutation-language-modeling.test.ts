import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Model, type Objective, type TextInputs, key, stream } from '@attune/core'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import { cast, matMul } from '@tensorflow/tfjs-core'
import { mostTargets, permutationMask, permute } from './permutation.js'
import { permutationLanguageModeling } from './permutation-language-modeling.js'

/** The tiny model, returning the hidden state at the position of each target. */
function tinyPermuter(): Model {
  const body = tinyModel()
  return {
    ...body,
    heads: { 'permutation-language-modeling': { architecture: 'TinyPermuter', tensors: { bias: 'lm_loss.bias' } } },
    forward(params, inputs: TextInputs, mode) {
      const { targetMapping, ...rest } = inputs
      const outputs = body.forward(params, rest as TextInputs, mode)
      return { ...outputs, lastHiddenState: matMul(cast(targetMapping!, 'float32'), outputs.lastHiddenState) }
    },
  }
}

const model = tinyPermuter()
const tokenizer = tinyTokenizer()

describeObjective(permutationLanguageModeling, {
  given: { model, tokenizer },
  references: [],
  examples: [
    { text: 'a short one' },
    { text: 'the quick brown fox' },
    { text: 'jumps over' },
    { text: 'x' },
    { text: 'a much longer text than the model takes, truncated here' },
    { text: 'seven' },
    { text: 'lazy dogs sleep' },
  ],
})

const SAMPLING = { probability: 1 / 6, spanLength: 5 }
/** A text of the given number of tokens, of which the first and the last are special. */
const text = (length: number): number[] => [2, ...Array.from({ length: length - 2 }, (_, i) => 10 + (i % 80)), 3]
const samples = (length: number, count: number, sampling = SAMPLING) => {
  const random = stream(key(length))
  return Array.from({ length: count }, () => permute(text(length), tokenizer, sampling, random))
}

describe('targets of permute', () => {
  const golden = JSON.parse(readFileSync('golden/collator.json', 'utf8')) as {
    readonly source: string
    readonly length: number
    readonly texts: number
    readonly textsWithTargetAtPlace: readonly number[]
    readonly textsWithSoManyTargets: readonly number[]
  }
  /** The difference of two counts, each out of `among`, in standard deviations. */
  const apart = (a: number, b: number, among: number): number => {
    const fraction = (a + b) / (2 * among)
    return Math.abs(a - b) / Math.sqrt(Math.max(1, 2 * among * fraction * (1 - fraction)))
  }

  it(`have the positions and numbers of those of ${golden.source}, with the same frequencies`, () => {
    const { length, texts } = golden
    const found = samples(length, texts)
    const [positions, counts] = [new Array<number>(length).fill(0), new Array<number>(length).fill(0)]
    for (const { positions: chosen } of found) {
      counts[chosen.length]!++
      for (const position of chosen) positions[position]!++
    }
    // One of 80 numbers exceeds five standard deviations in one of 20,000 runs.
    for (const [i, expected] of golden.textsWithTargetAtPlace.entries())
      expect([i, apart(positions[i]!, expected, texts) < 5]).toEqual([i, true])
    for (const [i, expected] of golden.textsWithSoManyTargets.entries())
      expect([i, apart(counts[i]!, expected, texts) < 5]).toEqual([i, true])
  })

  it('are a sixth of a long text, in spans of one to five with equal frequencies', () => {
    const found = samples(3000, 100)
    const total = found.reduce((sum, { positions }) => sum + positions.length, 0)
    expect(Math.abs(total / 300_000 - 1 / 6)).toBeLessThan(0.002)
    const runs = found.flatMap(({ positions }) => {
      const starts = positions.flatMap((position, i) => (i > 0 && positions[i - 1] === position - 1 ? [] : [i]))
      return starts.map((start, i) => (starts[i + 1] ?? positions.length) - start)
    })
    // Adjacent spans merge into a longer run now and then; most runs are single spans.
    for (let span = 1; span <= 5; span++) {
      const fraction = runs.filter((run) => run === span).length / runs.length
      expect([span, Math.abs(fraction - 0.2) < 0.02]).toEqual([span, true])
    }
    expect(runs.filter((run) => run > 10).length / runs.length).toBeLessThan(0.001)
  })

  it('have each order with the same frequency', () => {
    const orders = new Map<string, number>()
    const three = samples(40, 30_000).filter(({ positions }) => positions.length === 3)
    for (const { turns } of three) orders.set(turns.join(), (orders.get(turns.join()) ?? 0) + 1)
    expect(orders.size).toBe(6)
    const expected = three.length / 6
    const chiSquare = [...orders.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare).toBeLessThan(25.7) // the 0.9999 quantile with 5 degrees of freedom
  })

  it('exclude special tokens, are at least one, and never exceed mostTargets', () => {
    for (const [length, sampling] of [
      [3, SAMPLING],
      [5, SAMPLING],
      [8, SAMPLING],
      [35, SAMPLING],
      [64, { probability: 0.15, spanLength: 3 }],
      [64, { probability: 0.5, spanLength: 9 }],
    ] as const) {
      const found = samples(length, 2000, sampling)
      const counts = found.map(({ positions }) => positions.length)
      expect(Math.min(...counts)).toBeGreaterThan(0)
      expect(Math.max(...counts)).toBeLessThanOrEqual(mostTargets(length, sampling))
      expect(
        found.flatMap(({ positions }) => positions).filter((position) => position < 1 || position > length - 2),
      ).toEqual([])
      expect(found.map(({ targets }) => targets)).toEqual(
        found.map(({ positions }) => positions.map((at) => text(length)[at])),
      )
    }
    expect(permute([2, 3], tokenizer, SAMPLING, stream(key(1))).positions).toEqual([])
  })
})

describe('permutation masks', () => {
  it('hide a target from itself, from all tokens that are not targets, and from earlier targets', () => {
    const hidden = permutationMask({ positions: [1, 2, 4], targets: [7, 8, 9], turns: [2, 0, 1] }, 6)
    const rows = Array.from({ length: 6 }, (_, i) => [...hidden.subarray(i * 6, i * 6 + 6)].join(''))
    // The order is 2, 4, 1.
    expect(rows).toEqual(['011010', '010000', '011010', '011010', '010010', '011010'])
  })

  it('leak no information about a target to its predictors through any number of layers', () => {
    for (const permuted of samples(20, 50)) {
      const hidden = permutationMask(permuted, 20)
      const sees = (query: number, content: number): boolean => hidden[query * 20 + content] === 0
      const { positions, turns } = permuted
      // The tokens that a content state depends on: itself and, transitively, all that it attends to.
      const reached = Array.from({ length: 20 }, (_, i) => new Set([i]))
      for (let layer = 0; layer < 20; layer++)
        for (const [i, known] of reached.entries())
          for (let j = 0; j < 20; j++) if (sees(i, j)) for (const source of reached[j]!) known.add(source)
      for (const [i, position] of positions.entries()) {
        const known = new Set(Array.from({ length: 20 }, (_, j) => (sees(position, j) ? [...reached[j]!] : [])).flat())
        const knownTargets = positions.filter((other) => known.has(other))
        expect(knownTargets).toEqual(positions.filter((_, other) => turns[other]! < turns[i]!))
        expect(known.size).toBe(20 - positions.length + turns[i]!)
      }
    }
  })

  it('depend on the random numbers in training, and on the text only in evaluation', () => {
    const objective = permutationLanguageModeling({}, { model, tokenizer }) as Objective
    const items = ['the quick brown fox', 'jumps over the dog'].map((words) => objective.encode({ text: words }))
    const masks = (seed?: number): unknown =>
      objective.collate(items, seed === undefined ? undefined : stream(key(seed))).inputs['permutationMask']
    expect(masks(1)).toEqual(masks(1))
    expect(new Set([1, 2, 3, 4, 5].map((seed) => JSON.stringify(masks(seed)))).size).toBeGreaterThan(1)
    expect(masks()).toEqual(masks())
  })
})

it('rejects a model without this head', () => {
  expect(() => permutationLanguageModeling({}, { model: tinyModel(), tokenizer })).toThrow(
    expect.objectContaining({ code: 'NO_SUCH_HEAD' }),
  )
})

it('truncates a text on the given side', () => {
  const read = (truncationSide?: 'left' | 'right') => {
    const objective = permutationLanguageModeling(
      { maximumLength: 6, ...(truncationSide === undefined ? {} : { truncationSide }) },
      { model, tokenizer },
    )
    const { ids, truncated } = objective.encode({ text: 'abcdefgh' }) as never as { ids: number[]; truncated: boolean }
    return [tinyTokenizer().decode(ids), truncated]
  }
  expect(read('left')).toEqual(['efgh', true])
  expect(read('right')).toEqual(['abcd', true])
  expect(read()).toEqual(['abcd', true])
})
