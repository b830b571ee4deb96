import '@tensorflow/tfjs'
import { describe, expect, it } from '@jest/globals'
import { type Tensor, engine, grad, mul, square, sum, tensor, tidy } from '@tensorflow/tfjs-core'
import { withoutGradient } from './without-gradient.js'

describe('withoutGradient', () => {
  const x = tensor([1, 2, 3])

  it('returns the computed value as a constant for gradients', () => {
    const f = (y: Tensor): Tensor =>
      sum(
        mul(
          y,
          withoutGradient(() => square(y)),
        ),
      )
    expect(tidy(() => Array.from(grad(f)(x).dataSync()))).toEqual([1, 4, 9])
  })

  it('keeps no intermediates in memory while gradients are recorded', () => {
    const deep = (): Tensor => {
      let y: Tensor = x
      for (let i = 0; i < 20; i++) y = square(y)
      return y
    }
    const heldBy = (compute: () => Tensor): number => {
      let held = 0
      const f = (): Tensor => {
        const before = engine().memory().numTensors
        const y = compute()
        held = engine().memory().numTensors - before
        return sum(mul(x, y))
      }
      tidy(() => void engine().gradients(f, [x]))
      return held
    }
    expect(heldBy(() => withoutGradient(deep))).toBe(1)
    expect(heldBy(deep)).toBeGreaterThanOrEqual(20)
  })
})
