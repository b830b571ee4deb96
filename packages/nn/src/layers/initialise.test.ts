import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { key } from '@attune/core'
import { type Tensor, memory, mul, setBackend, tidy } from '@tensorflow/tfjs-core'
import { deferredWeights, filledWith, normal, requireRepresentableSizes, uniform } from './initialise.js'

beforeAll(async () => void (await setBackend('cpu')))

describe('requireRepresentableSizes', () => {
  const refusal = (problem: string) =>
    expect.objectContaining({ code: 'MODEL_TOO_LARGE', problem: expect.stringContaining(problem) })

  it('rejects a too large tensor or model before any tensor is allocated', () => {
    expect(() => filledWith([2 ** 16, 2 ** 16], 0)).toThrow(refusal('[65536, 65536]'))
    expect(() => requireRepresentableSizes({ small: [3], large: [2 ** 31] })).toThrow(refusal('[2147483648]'))
    const many = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`${i}`, [2 ** 15, 2 ** 15]]))
    expect(() => requireRepresentableSizes(many)).toThrow(refusal('1.39e+11'))
  })

  it('returns the shapes if they are representable', () => {
    const shapes = { large: [2 ** 31 - 1], empty: [0, 7], one: [] }
    expect(requireRepresentableSizes(shapes)).toBe(shapes)
  })
})

describe('deferredWeights', () => {
  const init = () => ({ a: normal(key(1), [2, 3], 0.5, 1), b: filledWith([4], 2), c: uniform(key(2), [3], 0.1) })
  const numbers = (x: Tensor): number[] => [...x.dataSync()]

  it('creates weights on demand, with the same values as eager initialisation', () => {
    const { numTensors } = memory()
    const deferred = deferredWeights(init)!
    expect(memory().numTensors).toBe(numTensors)
    expect(Object.entries(deferred).map(([name, { shape }]) => [name, shape])).toEqual([
      ['a', [2, 3]],
      ['b', [4]],
      ['c', [3]],
    ])
    tidy(() => {
      const now = init()
      for (const name of ['a', 'b', 'c'] as const) expect(numbers(deferred[name]!.make())).toEqual(numbers(now[name]))
    })
  })

  it('returns undefined for a model that computes with its weights, and throws for one that is too large', () => {
    const { numTensors } = memory()
    expect(deferredWeights(() => ({ a: mul(normal(key(1), [2], 1), 2) }))).toBeUndefined()
    expect(deferredWeights(() => ({ ...init(), d: mul(1, 2) }))).toBeUndefined()
    expect(memory().numTensors).toBe(numTensors)
    expect(() => deferredWeights(() => ({ a: filledWith([2 ** 16, 2 ** 16], 0) }))).toThrow(
      expect.objectContaining({ code: 'MODEL_TOO_LARGE' }),
    )
    tidy(() => expect(filledWith([1], 3).dataSync()[0]).toBe(3))
  })
})
