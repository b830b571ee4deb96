import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Mode } from '@attune/core'
import { mean, ones, tensor } from '@tensorflow/tfjs-core'
import { dropout, eagerEngine, fold, uniform, uniformValues } from './index.js'

const COUNT = 100_000

/** Pearson's chi-square of counts against equal expectation, as a number of spreads from its mean. */
function chiSquareSpreads(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length
  const chiSquare = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  const freedom = counts.length - 1
  return (chiSquare - freedom) / Math.sqrt(2 * freedom)
}

function histogram(values: Iterable<number>, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0)
  for (const value of values) counts[Math.floor(value * bins)]!++
  return counts
}

/** Correlation times √n, which is about standard normal for independent numbers. */
function correlationSpreads(a: Float32Array, b: Float32Array): number {
  const sum = a.reduce((total, x, i) => total + (x - 0.5) * (b[i]! - 0.5), 0)
  return (12 * sum) / Math.sqrt(a.length)
}

const seeds = [
  [0, 0],
  [0, 1],
  [1, 0],
  [123456789, -987654321],
  [-1, -1],
] as const

// Some forty statistics are looked at; five spreads is one chance in a million for each.
describe('uniformValues', () => {
  it.each(seeds)('are uniform in [0, 1) for seed %p, %p, one by one and in pairs', (a, b) => {
    for (const stream of [0, 1, 2001]) {
      const values = uniformValues([a, b], stream, COUNT)
      expect(values.every((x) => x >= 0 && x < 1)).toBe(true)
      expect(Math.abs(chiSquareSpreads(histogram(values, 256)))).toBeLessThan(5)
      const pairs = Array.from({ length: COUNT / 2 }, (_, i) => {
        const [x, y] = [Math.floor(values[2 * i]! * 16), Math.floor(values[2 * i + 1]! * 16)]
        return (16 * x + y) / 256
      })
      expect(Math.abs(chiSquareSpreads(histogram(pairs, 256)))).toBeLessThan(5)
      const last = Array.from(values, (x) => (x * 65536) % 1)
      expect(Math.abs(chiSquareSpreads(histogram(last, 256)))).toBeLessThan(5)
    }
  })

  it('are not correlated between neighbouring streams, seeds or positions', () => {
    const of = (a: number, b: number, stream: number) => uniformValues([a, b], stream, COUNT)
    const base = of(7, 9, 5)
    const others = [of(7, 9, 6), of(7, 9, 4), of(7, 9, 5005), of(8, 9, 5), of(7, 10, 5), of(9, 7, 5), of(7, 9, -5)]
    for (const other of others) expect(Math.abs(correlationSpreads(base, other))).toBeLessThan(5)
    for (const lag of [1, 2, 3, 64, 768])
      expect(Math.abs(correlationSpreads(base.subarray(0, COUNT - lag), base.subarray(lag)))).toBeLessThan(5)
  })

  it('are no mere shifts or permutations of another stream’s', () => {
    const base = new Set(uniformValues([7, 9], 5, 3000))
    for (const other of [
      uniformValues([7, 9], 6, 3000),
      uniformValues([7, 10], 5, 3000),
      uniformValues([8, 9], 5, 3000),
    ])
      // Of 3000 numbers of 24 bits, half of one in 3000 others is expected by chance.
      expect([...other].filter((x) => base.has(x)).length).toBeLessThan(10)
  })

  it('are the same numbers however many are asked for', () => {
    expect(uniformValues([3, 4], 5, 1000).subarray(0, 10)).toEqual(uniformValues([3, 4], 5, 10))
  })

  it('stay what they are, so that a resumed run draws what it would have drawn', () => {
    // As this version computes them: numbers that change here change every run that is resumed.
    expect([...uniformValues([7, 9], 3, 3)].map((x) => x.toFixed(7))).toEqual(['0.5574669', '0.1749622', '0.6115431'])
  })
})

describe.each(['cpu', 'wasm'])('on backend %s', (backend) => {
  const engine = eagerEngine({ backend, device: backend, load: () => Promise.resolve() })
  const training = (a: number, b: number): Mode => ({
    training: true,
    key: { seed: tensor([a, b], [2], 'int32'), stream: 0 },
  })
  beforeAll(() => engine.start())

  it('uniform gives the numbers of uniformValues, in its shape', async () => {
    const draw = engine.compile((seed) => uniform({ seed, stream: 12 }, [3, 4, 5]))
    const drawn = await engine.read(draw(tensor([-5, 77], [2], 'int32')))
    expect(drawn).toEqual({ shape: [3, 4, 5], dtype: 'float32', values: uniformValues([-5, 77], 12, 60) })
  })

  it.each([0.1, 0.5, 0.9])('dropout of %p keeps the mean and zeroes that share', async (rate) => {
    const run = engine.compile((mode: Mode) => dropout(ones([COUNT]), rate, mode))
    const { values } = await engine.read(run(training(1, 2)))
    const kept = Array.from(values).filter((x) => x !== 0)
    const spread = Math.sqrt(rate * (1 - rate) * COUNT)
    expect(Math.abs(kept.length - (1 - rate) * COUNT)).toBeLessThan(5 * spread)
    for (const value of new Set(kept)) expect(value).toBeCloseTo(1 / (1 - rate), 5)
  })

  it('dropout repeats from the same key, and not from another seed or place', async () => {
    const run = engine.compile((mode: Mode) => dropout(ones([1000]), 0.5, mode))
    const zeros = async (mode: Mode) => (await engine.read(run(mode))).values.map((x) => Math.sign(x)).join('')
    const base = training(1, 2)
    const drawn = await Promise.all(
      [
        base,
        training(1, 3),
        training(2, 2),
        fold(base, 0),
        fold(base, 1),
        fold(fold(base, 0), 0),
        fold(fold(base, 0), 1),
        fold(base, 999),
      ].map(zeros),
    )
    expect(new Set(drawn).size).toBe(drawn.length)
    expect(await zeros(training(1, 2))).toBe(drawn[0])
  })

  it('dropout does nothing in inference or at a rate of 0, and its gradient drops the same entries', async () => {
    const x = tensor([1, 2, 3])
    expect(dropout(x, 0.5, { training: false })).toBe(x)
    expect(dropout(x, 0, training(1, 2))).toBe(x)
    expect(fold({ training: false }, 3)).toEqual({ training: false })
    const { grad } = await import('@tensorflow/tfjs-core')
    const both = engine.compile((mode: Mode) => ({
      output: dropout(ones([500]), 0.3, mode),
      gradient: grad((y) => mean(dropout(y, 0.3, mode)).mul(500))(ones([500])),
    }))
    const { output, gradient } = await engine.read(both(training(4, 4)))
    Array.from(output.values).forEach((value, i) => expect(gradient.values[i]).toBeCloseTo(value, 5))
  })
})
