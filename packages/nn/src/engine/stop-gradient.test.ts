import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { mul, sum, tensor, tidy, valueAndGrad } from '@tensorflow/tfjs-core'
import { stopGradient } from './stop-gradient.js'

it('returns its input without a gradient: the gradient of x · stopGradient(x) is x', () =>
  void tidy(() => {
    const x = tensor([1, -2, 3])
    const { value, grad } = valueAndGrad((y) => sum(mul(y, stopGradient(y))))(x)
    expect([...value.dataSync()]).toEqual([14])
    expect([...grad.dataSync()]).toEqual([1, -2, 3])
  }))
