import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Mode } from '@attune/core'
import { grad, mean, ones, tensor } from '@tensorflow/tfjs-core'
import { eagerEngine } from '../engine/eager-engine.js'
import { dropout, modeAt } from './dropout.js'
import { dropoutMask, maskArrays, maskValues } from './dropout-mask.js'

const COUNT = 200_000

const mask = (a: number, b: number, stream: number, rate = 0.5, count = COUNT): Float32Array =>
  maskValues([a, b], { stream, rate }, new Float32Array(count))

/** Reference implementation of the masks: two rounds of lowbias32, whose halves decide two entries. */
function defined(a: number, b: number, stream: number, rate: number, count: number): number[] {
  const mix = (x: number): number => {
    const h = Math.imul(x ^ (x >>> 16), 0x7feb352d)
    const k = Math.imul(h ^ (h >>> 15), 0x846ca68b)
    return k ^ (k >>> 16)
  }
  const first = mix(a ^ Math.imul(stream, 0x9e3779b9))
  const second = mix((b + first) | 0)
  const threshold = Math.round(rate * 65536)
  return Array.from({ length: count }, (_, at) => {
    const hash = mix((mix(Math.imul(at >> 1, 0x9e3779b9) ^ first) + second) | 0)
    const half = at % 2 === 0 ? hash & 0xffff : hash >>> 16
    return half < threshold ? 0 : Math.fround(1 / (1 - threshold / 65536))
  })
}

/** Deviation of a count of kept entries from its expectation, in standard deviations. */
const deviations = (kept: number, count: number, rate: number): number =>
  (kept - (1 - rate) * count) / Math.sqrt(rate * (1 - rate) * count)

const keptIn = (values: ArrayLike<number>): number => Array.from(values).filter((x) => x !== 0).length

/** Correlation of kept entries times √n, approximately standard normal for independent masks. */
function correlation(a: Float32Array, b: Float32Array): number {
  const sum = a.reduce((total, x, i) => total + (x === 0 ? -1 : 1) * (b[i] === 0 ? -1 : 1), 0)
  return sum / Math.sqrt(a.length)
}

const seeds = [
  [0, 0],
  [0, 1],
  [1, 0],
  [123456789, -987654321],
  [-1, -1],
] as const

// About sixty statistics are tested; five standard deviations have a probability of one in a million each.
describe('maskValues', () => {
  it.each([1, 7, 8, 9, 131072, 131073, 300_001])('matches the reference implementation for %p entries', (count) => {
    for (const rate of [0.1, 0.5, 0.999])
      expect([...mask(-5, 77, 12, rate, count).slice(-9)]).toEqual(defined(-5, 77, 12, rate, count).slice(-9))
    expect([...mask(3, 4, 5, 0.3, Math.min(count, 1000))]).toEqual(defined(3, 4, 5, 0.3, Math.min(count, 1000)))
  })

  it('writes the same entries directly into maskArrays, within their bounds', () => {
    const sizes = [1, 9, 131_073, 0, 16]
    const arrays = maskArrays(sizes)
    expect(arrays.map(({ length }) => length)).toEqual(sizes)
    for (const [i, array] of arrays.entries()) maskValues([3, i], { stream: i, rate: 0.3 }, array)
    for (const [i, array] of arrays.entries()) expect(Float32Array.from(array)).toEqual(mask(3, i, i, 0.3, sizes[i]))
  })

  it.each(seeds)('keeps the expected fraction for seed %p, %p: of all entries, of each half, of pairs', (a, b) => {
    for (const stream of [0, 1, 2001])
      for (const rate of [0.1, 0.5]) {
        const values = mask(a, b, stream, rate)
        expect(Math.abs(deviations(keptIn(values), COUNT, rate))).toBeLessThan(5)
        const even = values.filter((_, i) => i % 2 === 0)
        expect(Math.abs(deviations(keptIn(even), COUNT / 2, rate))).toBeLessThan(5)
        const both = even.filter((x, i) => x !== 0 && values[2 * i + 1] !== 0).length
        expect(Math.abs(deviations(both, COUNT / 2, 1 - (1 - rate) ** 2))).toBeLessThan(5)
      }
  })

  it('is not correlated between neighbouring streams, seeds or positions', () => {
    const base = mask(7, 9, 5)
    const others = [
      mask(7, 9, 6),
      mask(7, 9, 4),
      mask(7, 9, 5005),
      mask(8, 9, 5),
      mask(7, 10, 5),
      mask(9, 7, 5),
      mask(7, 9, -5),
    ]
    for (const other of others) expect(Math.abs(correlation(base, other))).toBeLessThan(5)
    for (const lag of [1, 2, 3, 64, 768])
      expect(Math.abs(correlation(base.subarray(0, COUNT - lag), base.subarray(lag)))).toBeLessThan(5)
  })

  it('returns the same entries for any length', () => {
    expect(mask(3, 4, 5, 0.5, 1000).subarray(0, 10)).toEqual(mask(3, 4, 5, 0.5, 10))
  })

  it('matches the frozen values, so that resumed runs are reproducible', () => {
    // Regression values: a change here changes every resumed run.
    expect(
      mask(7, 9, 3, 0.5, 32)
        .map((x) => Math.sign(x))
        .join(''),
    ).toBe('01000101100100010111110001000011')
  })
})

describe.each(['cpu', 'wasm'])('on backend %s', (backend) => {
  const engine = eagerEngine({ backend, device: backend, load: () => Promise.resolve() })
  const training = (a: number, b: number): Mode => ({
    training: true,
    key: { seed: tensor([a, b], [2], 'int32'), stream: 0 },
  })
  beforeAll(() => engine.start())

  it('dropoutMask returns the entries of maskValues in its shape', async () => {
    const draw = engine.compile((seed) => dropoutMask({ seed, stream: 12 }, 0.25, [3, 4, 5]))
    const drawn = await engine.read(draw(tensor([-5, 77], [2], 'int32')))
    expect(drawn).toEqual({ shape: [3, 4, 5], dtype: 'float32', values: mask(-5, 77, 12, 0.25, 60) })
  })

  it.each([0.1, 0.5, 0.9])('dropout of %p keeps the mean and zeroes that fraction', async (rate) => {
    const run = engine.compile((mode: Mode) => dropout(ones([COUNT]), rate, mode))
    const { values } = await engine.read(run(training(1, 2)))
    expect(Math.abs(deviations(keptIn(values), COUNT, rate))).toBeLessThan(5)
    for (const value of new Set(values.filter((x) => x !== 0)))
      expect(value).toBeCloseTo(1 / (1 - Math.round(rate * 65536) / 65536), 5)
  })

  it('dropout repeats for the same key, and differs for another seed or sub-layer', async () => {
    const run = engine.compile((mode: Mode) => dropout(ones([1000]), 0.5, mode))
    const zeros = async (mode: Mode) => (await engine.read(run(mode))).values.map((x) => Math.sign(x)).join('')
    const base = training(1, 2)
    const modes = [
      base,
      training(1, 3),
      training(2, 2),
      modeAt(base, 0),
      modeAt(base, 1),
      modeAt(modeAt(base, 0), 0),
      modeAt(modeAt(base, 0), 1),
      modeAt(base, 999),
    ]
    const drawn = await Promise.all(modes.map(zeros))
    expect(new Set(drawn).size).toBe(drawn.length)
    expect(await zeros(training(1, 2))).toBe(drawn[0])
  })

  it('dropout is the identity in inference or at rate 0, and its gradient drops the same entries', async () => {
    const x = tensor([1, 2, 3])
    expect(dropout(x, 0.5, { training: false })).toBe(x)
    expect(dropout(x, 0, training(1, 2))).toBe(x)
    expect(modeAt({ training: false }, 3)).toEqual({ training: false })
    const both = engine.compile((mode: Mode) => ({
      output: dropout(ones([500]), 0.3, mode),
      gradient: grad((y) => mean(dropout(y, 0.3, mode)).mul(500))(ones([500])),
    }))
    const { output, gradient } = await engine.read(both(training(4, 4)))
    Array.from(output.values).forEach((value, i) => expect(gradient.values[i]).toBeCloseTo(value, 5))
  })
})
