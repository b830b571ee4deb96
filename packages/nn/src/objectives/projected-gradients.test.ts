import '@tensorflow/tfjs'
import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { type Tensor, dot, matMul, reshape, sub, tensor, tidy, transpose } from '@tensorflow/tfjs-core'
import { gradients, projectedLoss, projectionWeights } from '../index.js'

interface Stored {
  readonly shape: number[]
  readonly values: number[]
}
const golden = JSON.parse(readFileSync('golden/torch-projections.json', 'utf8')) as {
  readonly source: string
  readonly projections: readonly Readonly<Record<'gradients' | 'order' | 'expected', Stored>>[]
}
const load = ({ values, shape }: Stored): Tensor => tensor(values, shape, 'float32')
const largest = (difference: Tensor): number => Math.max(...difference.abs().dataSync())

it.each(golden.projections.map((each) => [each.gradients.shape[0], each] as const))(
  `projectionWeights sums the projected gradients of %i tasks in a random order as algorithm 1 of PCGrad, ${golden.source}`,
  (_, { gradients: given, order, expected }) =>
    void tidy(() => {
      const grads = load(given)
      const weights = projectionWeights(matMul(grads, transpose(grads)), load(order))
      const found = reshape(matMul(reshape(weights, [1, -1]), grads), [-1])
      expect(largest(sub(found, load(expected)))).toBeLessThan(1e-5)
    }),
)

it('projectedLoss projects conflicting gradients of shared parameters, and keeps those of the others', () =>
  void tidy(() => {
    const params = { shared: tensor([1, 1]), 'task.a': tensor([1, 1]) }
    const directions = [tensor([1, 0]), tensor([-1, 1])]
    const losses = directions.map(
      (direction) => () => dot(params.shared, direction).add(dot(params['task.a'], direction)),
    )
    const { value, grads } = gradients(
      () => projectedLoss(losses, params, (name) => name === 'shared', { training: false }),
      params,
    )
    expect(value.dataSync()[0]).toBe(2)
    // g₁ = (1, 0) and g₂ = (−1, 1): g₁ + g₂ / 2 = (0.5, 0.5) and g₂ + g₁ = (0, 1).
    expect([...grads['shared']!.dataSync()]).toEqual([0.5, 1.5])
    expect([...grads['task.a']!.dataSync()]).toEqual([0, 1])
  }))
