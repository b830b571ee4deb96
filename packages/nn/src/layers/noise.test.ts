import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Mode } from '@attune/core'
import { mul, ones, scalar, sum, tensor } from '@tensorflow/tfjs-core'
import { dropout, eagerEngine, gradients, logSigmoid, maskValues, noise, noiseValues } from '../index.js'

const COUNT = 200_000
const draw = (distribution: 'uniform' | 'normal', a = 7, b = 9, stream = 3): Float32Array =>
  noiseValues([a, b], { stream, distribution }, new Float32Array(COUNT))

const moment = (values: Float32Array, power: number): number =>
  values.reduce((total, x) => total + x ** power, 0) / values.length

/** Correlation of two sequences times √n, approximately standard normal if they are independent. */
function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = Math.min(x.length, y.length)
  const mean = (v: ArrayLike<number>): number => Array.from({ length: n }, (_, i) => v[i]!).reduce((a, b) => a + b) / n
  const [mx, my] = [mean(x), mean(y)]
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [a, b] = [x[i]! - mx, y[i]! - my]
    ;[xy, xx, yy] = [xy + a * b, xx + a * a, yy + b * b]
  }
  return (xy / Math.sqrt(xx * yy)) * Math.sqrt(n)
}

/** The first values for seed 7, 9 and stream 3; the uniform ones times 2²⁴. */
const FIRST = {
  uniform: [10585133, 10109217, 8060866],
  normal: [-0.7673026919364929, -0.5765318870544434, -0.7022536993026733],
}

// Five standard errors have a probability of one in a million for each statistic.
describe('noiseValues', () => {
  it('returns uniform values in [0, 1) with the moments 1/2, 1/3 and 1/4', () => {
    const values = draw('uniform')
    expect(values.every((x) => x >= 0 && x < 1)).toBe(true)
    for (const power of [1, 2, 3]) {
      const spread = Math.sqrt((1 / (2 * power + 1) - 1 / (power + 1) ** 2) / COUNT)
      expect(Math.abs(moment(values, power) - 1 / (power + 1)) / spread).toBeLessThan(5)
    }
  })

  it('returns normal values with the moments 0, 1, 0 and 3, and the tails of a normal distribution', () => {
    const values = draw('normal')
    const spreads = [1, Math.sqrt(2), Math.sqrt(15), Math.sqrt(96)]
    for (const [i, expected] of [0, 1, 0, 3].entries())
      expect(Math.abs(moment(values, i + 1) - expected) / (spreads[i]! / Math.sqrt(COUNT))).toBeLessThan(5)
    const beyond = values.filter((x) => Math.abs(x) > 1.96).length / COUNT
    expect(Math.abs(beyond - 0.05) / Math.sqrt((0.05 * 0.95) / COUNT)).toBeLessThan(5)
  })

  it('is not correlated between seeds, streams or positions, nor with the dropout mask of the same key', () => {
    for (const distribution of ['uniform', 'normal'] as const) {
      const base = draw(distribution)
      for (const other of [draw(distribution, 8), draw(distribution, 7, 10), draw(distribution, 7, 9, 4)])
        expect(Math.abs(correlation(base, other))).toBeLessThan(5)
      for (const lag of [1, 2, 768]) expect(Math.abs(correlation(base, base.subarray(lag)))).toBeLessThan(5)
      const mask = maskValues([7, 9], { stream: 3, rate: 0.5 }, new Float32Array(COUNT))
      expect(Math.abs(correlation(base, mask))).toBeLessThan(5)
    }
  })

  it('matches the frozen values, so that resumed runs are reproducible', () => {
    // Regression values: a change here changes every resumed run.
    expect([...draw('uniform').subarray(0, 3)].map((x) => x * 2 ** 24)).toEqual(FIRST.uniform)
    draw('normal')
      .subarray(0, 3)
      .forEach((x, i) => expect(x).toBeCloseTo(FIRST.normal[i]!, 6))
  })
})

describe.each(['cpu', 'wasm'])('on backend %s', (backend) => {
  const engine = eagerEngine({ backend, device: backend, load: () => Promise.resolve() })
  const seed = () => tensor([-5, 77], [2], 'int32')
  const training = (): Mode => ({ training: true, key: { seed: seed(), stream: 0 } })
  beforeAll(() => engine.start())

  it.each(['uniform', 'normal'] as const)('noise returns the values of noiseValues in its shape: %s', async (kind) => {
    const compiled = engine.compile((s) => noise({ seed: s, stream: 12 }, [3, 4, 5], kind))
    const values = noiseValues([-5, 77], { stream: 12, distribution: kind }, new Float32Array(60))
    expect(await engine.read(compiled(seed()))).toEqual({ shape: [3, 4, 5], dtype: 'float32', values })
  })

  it('dropout with a tensor rate zeroes that fraction and keeps the mean; its gradient drops the same entries', async () => {
    for (const rate of [0, 0.1, 0.6]) {
      const run = engine.compile(() => {
        const x = ones([COUNT])
        const output = dropout(x, scalar(rate), training())
        return { output, ...gradients(() => sum(dropout(x, scalar(rate), training())), { x }) }
      })
      const { output, grads } = (await engine.read(run())) as unknown as {
        output: { values: Float32Array }
        grads: { x: { values: Float32Array } }
      }
      const { values } = output
      const zeros = values.filter((x) => x === 0).length / COUNT
      expect(Math.abs(zeros - rate)).toBeLessThanOrEqual(5 * Math.sqrt((rate * (1 - rate)) / COUNT))
      expect(Math.max(...new Set(values))).toBeCloseTo(1 / (1 - rate), 5)
      expect(grads.x.values).toEqual(values)
    }
    const x = ones([3])
    expect(dropout(x, scalar(0.5), { training: false })).toBe(x)
  })

  it('logSigmoid is finite and has the exact gradient from −100 to 100', async () => {
    const at = [-100, -20, -1, 0, 1, 20, 100]
    const run = engine.compile(() => {
      const x = tensor(at)
      const { grads } = gradients(() => sum(mul(logSigmoid(x), 2)), { x })
      return { value: logSigmoid(x), grads }
    })
    const result = (await engine.read(run())) as unknown as {
      value: { values: number[] }
      grads: { x: { values: number[] } }
    }
    at.forEach((x, i) => {
      const exact = x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x))
      expect(Math.abs(result.value.values[i]! - exact)).toBeLessThan(1e-6 * Math.max(1, Math.abs(exact)))
      expect(Math.abs(result.grads.x.values[i]! - 2 / (1 + Math.exp(x)))).toBeLessThan(1e-6)
    })
  })
})
