import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Hyper, Params } from '@attune/core'
import { scalar, tensor } from '@tensorflow/tfjs-core'
import {
  accumulateMomentum,
  averageWeights,
  eagerEngine,
  matchesPattern,
  parameterNoise,
  partition,
  scaleByLearningRate,
  trustRatio,
} from '../index.js'

const hyper: Hyper = {
  learningRate: scalar(0.5),
  step: scalar(1),
  steps: scalar(10),
  seed: tensor([0, 1], [2], 'int32'),
  scheduled: {},
}
const valuesOf = (params: Params): Record<string, number[]> =>
  Object.fromEntries(Object.entries(params).map(([name, x]) => [name, Array.from(x.dataSync())]))
beforeAll(() => eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() }).start())

describe('partition', () => {
  const groups = partition((_, { rank }) => rank === 2, accumulateMomentum(0.5, false), scaleByLearningRate())
  const params = { w: tensor([[1, 2]]), b: tensor([3]) }

  it('updates each parameter by the optimizer of its group', () => {
    const first = groups.update(params, groups.init(params), params, hyper)
    expect(valuesOf(first.updates)).toEqual({ w: [1, 2], b: [-1.5] })
    const second = groups.update(params, first.state, params, hyper)
    expect(valuesOf(second.updates)).toEqual({ w: [1.5, 3], b: [-1.5] })
  })

  it('needs no state for an empty group, as after resuming', () => {
    const only = { b: tensor([3]) }
    expect(valuesOf(groups.update(only, { others: {} } as never, only, hyper).updates)).toEqual({ b: [-1.5] })
  })
})

describe('averageWeights', () => {
  it('follows the updated parameters at the rate of the step and evaluates the average', () => {
    const average = averageWeights(({ learningRate }) => learningRate)
    const params = { x: tensor([2]) }
    const { updates, state } = average.update({ x: tensor([4]) }, average.init(params), params, hyper)
    expect(valuesOf(updates)).toEqual({ x: [4] })
    expect(valuesOf(average.evaluationParams!(state, params))).toEqual({ x: [4] })
  })
})

describe('parameterNoise', () => {
  it('depends on the name and the label, not on the other parameters', () => {
    const zeros = { a: tensor([0, 0, 0]), b: tensor([0, 0, 0]) }
    const { a, b } = valuesOf(parameterNoise(hyper, 'use', zeros, 'normal'))
    expect(valuesOf(parameterNoise(hyper, 'use', { b: zeros.b }, 'normal'))).toEqual({ b })
    expect(a).not.toEqual(b)
    expect(valuesOf(parameterNoise(hyper, 'other', zeros, 'normal'))['a']).not.toEqual(a)
  })
})

describe('trustRatio', () => {
  it.each([
    [3, 2, 1.5],
    [0, 2, 1],
    [3, 0, 1],
  ])('of %p and %p is %p', (numerator, denominator, expected) => {
    expect(trustRatio(scalar(numerator), scalar(denominator)).dataSync()[0]).toBe(expected)
  })
})

describe('matchesPattern', () => {
  it.each([
    ['a.weight', 'a.*', true],
    ['a.weight', 'b.*|a.*', true],
    ['a.weight', 'b.*|c.*', false],
    ['a.weight', '!a.*', false],
    ['b.weight', '!a.*', true],
    ['a.norm.weight', 'a.*|!*norm*', false],
    ['a.dense.weight', 'a.*|!*norm*', true],
    ['b.dense.weight', 'a.*|!*norm*', false],
    ['a.b.a', 'a*b*a', true],
    ['aa', 'a*a*a', false],
  ])('of %p and %p is %p', (name, pattern, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected)
  })
})
