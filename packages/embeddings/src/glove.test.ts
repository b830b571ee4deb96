import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { lastValueFrom } from 'rxjs'
import { type GloVeState, type GloVeStepOptions, gloVeStep } from './glove-step.js'
import { countPairs, trainGloVe } from './glove.js'

type Tables = Readonly<Record<'first' | 'second' | 'firstBias' | 'secondBias', readonly number[]>>
interface Golden {
  readonly corpus: readonly (readonly string[])[]
  readonly window: number
  readonly counts: readonly (readonly [number, number, number])[]
  readonly size: number
  readonly options: GloVeStepOptions
  readonly before: Tables
  readonly samples: readonly (readonly [number, number, number])[]
  readonly losses: readonly number[]
  readonly after: Tables
}
const golden = JSON.parse(readFileSync('golden/glove.json', 'utf8')) as Golden
const { before, size } = golden
const NAMES = ['first', 'second', 'firstBias', 'secondBias'] as const
const floats = (numbers: readonly number[]): Float32Array => Float32Array.from(numbers)
const ones = (numbers: readonly number[]): Float32Array => new Float32Array(numbers.length).fill(1)
const tablesOf = (of: (numbers: readonly number[]) => Float32Array): GloVeState['squares'] => ({
  first: of(before.first),
  second: of(before.second),
  firstBias: of(before.firstBias),
  secondBias: of(before.secondBias),
})
const stateOf = (): GloVeState => ({ size, ...tablesOf(floats), squares: tablesOf(ones) })
const maximumDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)))

describe('countPairs', () => {
  const ids = new Map(Array.from({ length: 9 }, (_, id) => [String(id), id]))

  it('matches the weights of the reference', async () => {
    const { first, second, weights } = await countPairs(
      () => golden.corpus,
      { ids },
      { window: golden.window, maximumPairs: 100 },
    )
    const found = Array.from(first, (a, n) => [a, second[n]!, weights[n]!] as const).sort(
      ([a, b], [c, d]) => a - c || b - d,
    )
    const expected = golden.counts.filter(([a, b]) => a <= b)
    expect(found.map(([a, b]) => [a, b])).toEqual(expected.map(([a, b]) => [a, b]))
    const difference = maximumDifference(
      found.map(([, , x]) => x),
      expected.map(([, , x]) => x),
    )
    expect(difference).toBeLessThan(1e-5)
  })

  it('matches a count with a Map', async () => {
    const words = Array.from({ length: 6000 }, (_, i) => String((i * i * 31 + i) % 997))
    const many = new Map(words.map((word) => [word, Number(word)]))
    const expected = new Map<string, number>()
    for (let i = 0; i < words.length; i++)
      for (let j = Math.max(0, i - 4); j < i; j++) {
        const [a, b] = [Number(words[i]), Number(words[j])]
        const pair = [Math.min(a, b), Math.max(a, b)].join()
        expected.set(pair, (expected.get(pair) ?? 0) + (a === b ? 2 : 1) / (i - j))
      }
    const pairs = await countPairs(() => [words], { ids: many }, { window: 4, maximumPairs: 1e6 })
    expect(pairs.first.length).toBe(expected.size)
    for (const [n, a] of pairs.first.entries())
      expect(pairs.weights[n]).toBeCloseTo(expected.get([a, pairs.second[n]].join())!, 4)
  })

  it('rejects more pairs than `maximumPairs`', async () => {
    await expect(countPairs(() => golden.corpus, { ids }, { window: 3, maximumPairs: 10 })).rejects.toMatchObject({
      code: 'TOO_MANY_PAIRS',
    })
  })
})

describe('gloVeStep', () => {
  it('matches the NumPy reference', () => {
    const state = stateOf()
    const step = gloVeStep(state, golden.options)
    const losses = golden.samples.map(([i, j, x]) => step(i, j, x))
    expect(maximumDifference(losses, golden.losses)).toBeLessThan(1e-5)
    for (const name of NAMES) expect(maximumDifference(state[name], golden.after[name])).toBeLessThan(1e-6)
  })

  it.each([0, 1, 2])('matches finite differences, sample %i', (n) => {
    const [i, j, x] = golden.samples[n]!
    const weight = Math.min(1, (x / golden.options.maximumWeight) ** golden.options.exponent)
    const lossOf = (t: Tables): number => {
      let score = t.firstBias[i]! + t.secondBias[j]! - Math.log(x)
      for (let k = 0; k < size; k++) score += t.first[i * size + k]! * t.second[j * size + k]!
      return 0.5 * weight * score * score
    }
    const state = stateOf()
    expect(gloVeStep(state, { ...golden.options, learningRate: 1 })(i, j, x)).toBeCloseTo(lossOf(before), 10)
    for (const name of NAMES)
      for (const [at, value] of before[name].entries()) {
        const moved = (by: number): number =>
          lossOf({ ...before, [name]: before[name].map((p, k) => (k === at ? p + by : p)) })
        const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        expect(Math.abs(value - state[name][at]! - slope)).toBeLessThan(1e-6)
      }
  })
})

describe('trainGloVe', () => {
  it('reduces the loss and is deterministic', async () => {
    const losses: number[] = []
    const options = { size: 8, epochs: 20, minimumCount: 1, seed: 3 }
    const train = async (seed: number) => {
      const events = trainGloVe(() => golden.corpus, { ...options, seed })
      events.subscribe((event) => event.type === 'epoch.completed' && losses.push(event.loss))
      const last = await lastValueFrom(events)
      return last.type === 'training.completed' ? [...last.vectors.values] : []
    }
    const vectors = await train(3)
    expect(vectors).toHaveLength(9 * 8)
    expect(losses[19]).toBeLessThan(losses[0]! / 2)
    expect(await train(3)).toEqual(vectors)
    expect(await train(4)).not.toEqual(vectors)
  })

  it('stops when it diverges', async () => {
    const events = trainGloVe(() => golden.corpus, { minimumCount: 1, learningRate: 10, epochs: 500, exponent: 0 })
    await expect(lastValueFrom(events)).rejects.toMatchObject({ code: 'NON_FINITE_LOSS' })
  })
})
