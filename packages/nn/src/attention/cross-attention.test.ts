import { expect, it } from '@jest/globals'
import type { Tensor } from '@tensorflow/tfjs-core'
import { madeOnce } from './cross-attention.js'

const first = { shape: [1] } as Tensor

it('makes what is not in the cache, and remembers it under the layer it is of', () => {
  const cache: Record<string, Tensor> = {}
  const of = (index: number) => ({
    index,
    at: 'any',
    mode: { training: false } as const,
    remember: (name: string, tensor: Tensor) => (cache[`${index}.${name}`] = tensor),
  })
  let made = 0
  const make = (): Tensor => (made++, first)
  expect(madeOnce(of(3), cache, 'key', make)).toBe(first)
  expect(cache).toEqual({ '3.encoder.key': first })
  expect(madeOnce(of(3), cache, 'key', make)).toBe(first)
  expect(made).toBe(1)
  madeOnce(of(4), cache, 'key', make)
  expect(made).toBe(2)
})

it('makes it each time where there is no cache', () => {
  let made = 0
  const alone = { index: 0, at: 'any', mode: { training: false } as const }
  for (let i = 0; i < 2; i++) madeOnce(alone, undefined, 'value', () => (made++, first))
  expect(made).toBe(2)
})
