import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { type Tensor, grad, mul, sum, tensor } from '@tensorflow/tfjs-core'
import { maxPool } from './max-pooling.js'

it('maxPool splits the gradient evenly among tied maxima', () => {
  const x = tensor([5, 1, 5, 7, 2, 7], [1, 3, 2])
  expect(Array.from(maxPool(x).dataSync())).toEqual([5, 7])
  const weights = tensor([6, 8], [1, 2])
  const f = (y: Tensor): Tensor => sum(mul(weights, maxPool(y)))
  // Columns are 5, 5, 2 and 1, 7, 7.
  expect(Array.from(grad(f)(x).dataSync())).toEqual([3, 0, 3, 4, 0, 4])
})
