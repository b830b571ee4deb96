import { expect, it } from '@jest/globals'
import { hostRow, hostSigmoid, hostSoftmax } from './host-probabilities.js'

const logits = { shape: [2, 3], dtype: 'float32', values: Float32Array.of(1, 2, 3, 4, 5, 6) } as const

it('hostRow returns a row, or its first values', () => {
  expect(hostRow(logits, 1)).toEqual([4, 5, 6])
  expect(hostRow(logits, 0, 2)).toEqual([1, 2])
})

it('hostSoftmax returns probabilities in double precision, also of large logits', () => {
  expect(hostSoftmax([0, Math.log(2), Math.log(5)]).map((each) => each.toFixed(12))).toEqual(
    [0.125, 0.25, 0.625].map((each) => each.toFixed(12)),
  )
  expect(hostSoftmax(Float32Array.of(1000, 1000))).toEqual([0.5, 0.5])
  expect(hostSoftmax(Float32Array.of(0, 1))[1]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12)
})

it('hostSigmoid returns the probability of each logit by itself', () =>
  expect(hostSigmoid([0, Math.log(3), -Math.log(3)]).map((each) => each.toFixed(12))).toEqual(
    [0.5, 0.75, 0.25].map((each) => each.toFixed(12)),
  ))
