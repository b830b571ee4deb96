import { expect, it } from '@jest/globals'
import { sigmoidRow, softmaxRow } from './row-probabilities.js'

const logits = { shape: [2, 3], dtype: 'float32', values: Float32Array.of(0, 0, 0, 0, Math.log(3), 1000) } as const

it('softmaxRow normalizes the chosen values of a row, and does not overflow', () => {
  expect(softmaxRow(logits, 0)).toEqual([1 / 3, 1 / 3, 1 / 3])
  expect(softmaxRow(logits, 1)).toEqual([0, 0, 1])
  const [first, second, ...rest] = softmaxRow(logits, 1, 2)
  expect([first, second, rest]).toEqual([expect.closeTo(0.25, 6), expect.closeTo(0.75, 6), []])
})

it('sigmoidRow returns the probability of each chosen value of a row', () => {
  const [first, second, ...rest] = sigmoidRow(logits, 1, 2)
  expect([first, second, rest]).toEqual([0.5, expect.closeTo(0.75, 6), []])
  expect(sigmoidRow(logits, 1)[2]).toBe(1)
})
