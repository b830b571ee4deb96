import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { type Scalar, add, cast, grad, log, mul, sum, tensor, tensor1d } from '@tensorflow/tfjs-core'
import { sampleTokens } from './sample-tokens.js'
import { tokenLosses } from './token-losses.js'

const probabilities = [0.1, 0.2, 0, 0.3, 0.4]
const logits = (rows: number) => add(log(tensor(Array.from({ length: rows }, () => probabilities))), 7)

it('returns the first token whose cumulative probability exceeds the number, never one of probability 0', () => {
  const uniforms = [0, 0.09, 0.11, 0.29, 0.31, 0.59, 0.61, 0.9999999]
  expect([...sampleTokens(logits(uniforms.length), tensor1d(uniforms)).dataSync()]).toEqual([0, 0, 1, 1, 3, 3, 4, 4])
})

it('returns each token as often as it is probable, for evenly spaced numbers', () => {
  const uniforms = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000)
  const counts = [0, 0, 0, 0, 0]
  for (const token of sampleTokens(logits(1000), tensor1d(uniforms)).dataSync()) counts[token]!++
  expect(counts).toEqual([100, 200, 0, 300, 400])
})

it('is a constant of the gradient', () => {
  const x = tensor([[1, 2, 3]])
  const of = grad((y) => sum(mul(cast(sampleTokens(y, tensor1d([0.5])), 'float32'), sum(y))) as Scalar)
  expect([...of(x).dataSync()]).toEqual([2, 2, 2])
})

it.each([1, 5 * 3, 5 * 8])('returns the same tokens as token losses in chunks of %i logits', (most) => {
  const uniforms = tensor([0.05, 0.25, 0.5, 0.95, 0.99, 0.29, 0.2, 0], [2, 4])
  const given = { states: logits(8), targets: tensor(new Int32Array(8), [2, 4], 'int32'), vocabulary: 5, uniforms }
  const { sampled } = tokenLosses((x) => x, given, most)
  expect([sampled!.shape, ...sampled!.dataSync()]).toEqual([[2, 4], 0, 1, 3, 4, 4, 1, 1, 0])
})
