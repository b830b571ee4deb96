import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { mul, sum, tensor, tidy, valueAndGrad } from '@tensorflow/tfjs-core'
import { stopGradient } from './stop-gradient.js'

it('has the value of what it is given, and no gradient: x times the constant x grows as if that were a number', () =>
  void tidy(() => {
    const x = tensor([1, -2, 3])
    const { value, grad } = valueAndGrad((y) => sum(mul(y, stopGradient(y))))(x)
    expect([...value.dataSync()]).toEqual([14])
    expect([...grad.dataSync()]).toEqual([1, -2, 3])
  }))
