import '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Closure, type Params, key, normals, stream } from '@attune/core'
import { type Tensor, matMul, mul, pow, scalar, sub, sum, tensor, tensor2d } from '@tensorflow/tfjs-core'
import {
  addScaled,
  backtrack,
  eagerEngine,
  gradients,
  hessianVectorProduct,
  innerProduct,
  orthogonalize,
} from '../index.js'

const valuesOf = (x: Tensor): number[] => Array.from(x.dataSync())
beforeAll(() => eagerEngine({ backend: 'cpu', device: '', load: () => Promise.resolve() }).start())

/** Σ cᵢ · xᵢ⁴ + Σ x₁x₂, whose Hessian is known. */
const quartic: Closure = (params) => {
  const { value, grads } = gradients(() => {
    const [x, y] = [params['x']!, params['y']!]
    return sum(mul(tensor([1, 2]), pow(x, 4))).add(mul(sum(x), sum(y))) as Tensor
  }, params)
  return { loss: value, grads, weight: scalar(1) }
}

describe('hessianVectorProduct', () => {
  const params = { x: tensor([1, -0.5]), y: tensor([2]) }
  const v = { x: tensor([3, 1]), y: tensor([-2]) }
  // d²/dx² = 12·c·x², and 1 between each x and y.
  const exact = { x: [12 * 3 - 2, 6 - 2], y: [4] }

  it.each([
    [2, 1e-3],
    [4, 2e-5],
  ] as const)('of order %p has a relative error below %p', (order, tolerance) => {
    const found = hessianVectorProduct(quartic, params, v, order)
    for (const [name, values] of Object.entries(exact))
      valuesOf(found[name]!).forEach((value, i) => expect(Math.abs(value / values[i]! - 1)).toBeLessThan(tolerance))
  })

  it('is zero for a zero vector', () => {
    const found = hessianVectorProduct(quartic, params, { x: tensor([0, 0]), y: tensor([0]) })
    expect([...valuesOf(found['x']!), ...valuesOf(found['y']!)]).toEqual([0, 0, 0])
  })
})

describe('backtrack', () => {
  /** (1 − size)² from 0, with slope −2. */
  const search = (initial: number, tries: number): number =>
    backtrack((size) => pow(sub(1, size), 2), {
      loss: scalar(1),
      slope: scalar(-2),
      initial: scalar(initial),
      tries,
    }).dataSync()[0]!

  it('takes the first step size that lowers the loss enough', () => {
    expect(search(1, 3)).toBe(1)
    expect(search(4, 5)).toBe(1)
    expect(search(3, 5)).toBe(1.5)
  })

  it('returns zero if no try does', () => {
    expect(search(8, 2)).toBe(0)
  })
})

describe('innerProduct and addScaled', () => {
  it('treat all parameters as one vector', () => {
    const [a, b]: Params[] = [
      { x: tensor([1, 2]), y: tensor([3]) },
      { x: tensor([4, 5]), y: tensor([6]) },
    ]
    expect(valuesOf(innerProduct(a!, b!))).toEqual([32])
    expect(valuesOf(addScaled(a!, 2, b!)['x']!)).toEqual([9, 12])
  })
})

describe('orthogonalize', () => {
  const next = normals(stream(key(3)))

  it.each([[[3, 5]], [[5, 3]], [[4, 4]]])(
    'of a matrix %p returns singular values between 0.6 and 1.3 and the same shape',
    (shape) => {
      const [rows, columns] = shape as [number, number]
      const x = tensor2d(
        Array.from({ length: rows * columns }, (_, i) => 0.5 * next() + (i % (columns + 1) === 0 ? 1 : 0)),
        [rows, columns],
      )
      const found = orthogonalize(x, 5)
      expect(found.shape).toEqual([rows, columns])
      const small = rows < columns ? matMul(found, found, false, true) : matMul(found, found, true, false)
      const size = Math.min(rows, columns)
      // The trace of XᵀX is the sum of the squared singular values, the trace of its square that of their fourth powers.
      const entries = valuesOf(small)
      const trace = entries.filter((_, i) => i % (size + 1) === 0).reduce((a, b) => a + b, 0)
      const fourth = entries.reduce((a, b) => a + b * b, 0)
      expect(trace / size).toBeGreaterThan(0.6 ** 2)
      expect(trace / size).toBeLessThan(1.3 ** 2)
      expect(Math.abs(fourth / size - (trace / size) ** 2)).toBeLessThan(0.3)
    },
  )
})
