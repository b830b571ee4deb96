import '@tensorflow/tfjs'
import { describe, expect, it } from '@jest/globals'
import type { Mode } from '@attune/core'
import { type Tensor, concat, mul, ones, randomNormal, scalar, sum, valueAndGrads } from '@tensorflow/tfjs-core'
import { attendHeads } from './attention.js'
import { type AttentionPattern, attentionBias } from './attention-bias.js'
import { queryBlocks } from './query-blocks.js'

const patterns: readonly AttentionPattern[] = [
  { causal: true },
  { causal: true, window: 1 },
  { causal: true, window: 90 },
  { window: 40 },
  { window: 1000 },
]

const attendsTo = ({ causal = false, window = Infinity }: AttentionPattern, query: number, key: number): boolean =>
  Math.abs(query - key) < window && (!causal || key <= query)

describe('queryBlocks', () => {
  it('covers each row once, with every key that the row attends to', () => {
    for (const pattern of patterns)
      for (const length of [1, 255, 256, 300, 777, 1024, 5000]) {
        const blocks = queryBlocks(length, pattern)
        expect(blocks.reduce((row, block) => (expect(block.row).toBe(row), row + block.rows), 0)).toBe(length)
        for (const { row, rows, key, keys } of blocks) {
          const keysOf = (query: number): number[] => [0, length - 1, query - 89, query - 39, query, query + 39]
          for (const query of [row, row + rows - 1])
            for (const other of keysOf(query).filter((k) => k >= 0 && k < length && attendsTo(pattern, query, k)))
              expect(other >= key && other < key + keys).toBe(true)
          expect(key + keys).toBeLessThanOrEqual(length)
        }
      }
  })

  it('skips three eighths of the scores of 512 causal tokens, and nothing for full attention or short sequences', () => {
    const area = (length: number, pattern: AttentionPattern): number =>
      queryBlocks(length, pattern).reduce((all, { rows, keys }) => all + rows * keys, 0) / length ** 2
    expect(area(512, { causal: true })).toBe(5 / 8)
    expect(area(4096, { causal: true })).toBe(9 / 16)
    expect(area(4096, { causal: true, window: 128 })).toBeLessThan(0.16)
    expect([area(255, { causal: true }), area(4096, {})]).toEqual([1, 1])
  })
})

describe('attendHeads', () => {
  const [batch, length, size] = [1, 260, 3]
  const normal = (heads: number, seed: number) => randomNormal([batch, heads, length, size], 0, 1, 'float32', seed)
  const ids = ones([batch, length], 'int32')
  const bound = { training: false } as const

  it.each(patterns)('returns the same values and gradients with and without the attention pattern %j', (pattern) => {
    const bias = attentionBias({ inputIds: ids, attentionMask: ids, tokenTypeIds: ids }, pattern)
    const weights = normal(2, 1)
    const [found, wanted] = [pattern, {}].map((known) =>
      valueAndGrads((q: Tensor, k: Tensor, v: Tensor) =>
        sum(mul(attendHeads({ q, k, v, bias }, 0, bound, { pattern: known }), weights)),
      )([normal(2, 2), normal(1, 3), normal(1, 4)]),
    )
    expect(found!.value.dataSync()[0]).toBeCloseTo(wanted!.value.dataSync()[0]!, 3)
    for (const [i, grad] of found!.grads.entries())
      expect(grad.sub(wanted!.grads[i]!).abs().max().dataSync()[0]).toBeLessThan(1e-5)
  })

  it('computes a single block if launch-bound, if attention weights are recorded, or with a KV cache', () => {
    const [q, k] = [normal(1, 5), normal(1, 6)]
    const bias = attentionBias({ inputIds: ids, attentionMask: ids, tokenTypeIds: ids }, { causal: true })
    const parts = (mode: Mode, more: object = {}, keys = k): number => {
      let count = 0
      const transformScores = (scores: Tensor): Tensor => (count++, scores)
      const given = { q, k: keys, v: keys, bias: keys === k ? bias : scalar(0) }
      attendHeads(given, 0, mode, { pattern: { causal: true }, transformScores, ...more })
      return count
    }
    expect(parts(bound)).toBe(2)
    expect(parts({ ...bound, launchBound: true })).toBe(1)
    expect(parts(bound, { onAttention: () => undefined })).toBe(1)
    expect(parts(bound, {}, concat([k, k], 2))).toBe(1)
  })
})
