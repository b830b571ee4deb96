import { expect, it } from '@jest/globals'
import type { Tensor } from '@tensorflow/tfjs-core'
import { projectOnce } from './cross-attention.js'

const first = { shape: [1] } as Tensor

it('projects keys that are not in the cache, and caches them under their layer', () => {
  const cache: Record<string, Tensor> = {}
  const of = (index: number) => ({
    index,
    at: 'any',
    mode: { training: false } as const,
    updateCache: (name: string, tensor: Tensor) => (cache[`${index}.${name}`] = tensor),
  })
  let projections = 0
  const make = (): Tensor => (projections++, first)
  expect(projectOnce(of(3), cache, 'key', make)).toBe(first)
  expect(cache).toEqual({ '3.encoder.key': first })
  expect(projectOnce(of(3), cache, 'key', make)).toBe(first)
  expect(projections).toBe(1)
  projectOnce(of(4), cache, 'key', make)
  expect(projections).toBe(2)
})

it('projects on every call without a cache', () => {
  let projections = 0
  const alone = { index: 0, at: 'any', mode: { training: false } as const }
  for (let i = 0; i < 2; i++) projectOnce(alone, undefined, 'value', () => (projections++, first))
  expect(projections).toBe(2)
})
