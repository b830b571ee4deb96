import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { argMax, sampleToken, keepMinP, keepTopK, keepTopP, logSoftmax, applyPenalties, warp } from './warp.js'

const golden = JSON.parse(readFileSync('golden/transformers-warping.json', 'utf8')) as {
  readonly source: string
  readonly warped: readonly { option: 'topK' | 'topP' | 'minP'; value: number; logits: number[]; kept: number[] }[]
  readonly penalty: { read: number[]; penalty: number; logits: number[]; penalised: number[] }
}
const rules = { topK: keepTopK, topP: keepTopP, minP: keepMinP }
const kept = (logits: Float32Array): number[] => [...logits.keys()].filter((id) => logits[id]! > -Infinity)

describe(`matches ${golden.source}`, () => {
  it.each(golden.warped.map(({ option, value, ...rest }) => [option, value, rest] as const))(
    '%s of %p keeps the same tokens',
    (option, value, { logits, kept: expected }) => {
      const found = Float32Array.from(logits)
      rules[option](found, value)
      expect(kept(found)).toEqual(expected)
      for (const id of expected) expect(found[id]).toBe(Math.fround(logits[id]!))
    },
  )

  it('applies the same repetition penalty', () => {
    const { read, penalty, logits, penalised } = golden.penalty
    const found = Float32Array.from(logits)
    applyPenalties(found, { prompt: read, generated: [] }, { repetitionPenalty: penalty, presencePenalty: 0 })
    for (const [i, x] of penalised.entries()) expect(found[i]).toBeCloseTo(x, 6)
  })
})

it('applyPenalties subtracts the presence penalty once from each generated token and ignores prompt tokens', () => {
  const logits = Float32Array.of(1, 1, 1, 1)
  applyPenalties(logits, { prompt: [0], generated: [2, 2, 3] }, { repetitionPenalty: 1, presencePenalty: 0.5 })
  expect([...logits]).toEqual([1, 1, 0.5, 0.5])
})

it('keepTopK keeps ties, and keeps everything if there are no more than `count` tokens', () => {
  const logits = Float32Array.of(2, 5, 2, 1, -Infinity)
  keepTopK(logits, 2)
  expect(kept(logits)).toEqual([0, 1, 2])
  keepTopK(logits, 9)
  expect(kept(logits)).toEqual([0, 1, 2])
})

it('logSoftmax of large logits sums to a probability of 1', () => {
  const sum = logSoftmax(Float32Array.of(1000, 999, -1000)).reduce((total, x) => total + Math.exp(x), 0)
  expect(sum).toBeCloseTo(1, 6)
})

it('argMax returns the first of equal values', () => expect(argMax(Float32Array.of(1, 3, 3))).toBe(1))

it('sampleToken samples each token with its probability, and never a masked one', () => {
  const logits = Float32Array.from([0.1, 0.2, 0.7], Math.log)
  const all = Float32Array.of(...logits, -Infinity)
  const random = stream(key(3))
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 20_000; i++) counts[sampleToken(all, random())]!++
  // The standard deviation of a frequency p over n samples is √(p(1 − p)/n), at most 0.0035 here; five of them: 1 in a million.
  for (const [id, p] of [0.1, 0.2, 0.7, 0].entries()) expect(Math.abs(counts[id]! / 20_000 - p)).toBeLessThan(0.0175)
  expect(sampleToken(all, 1 - 2 ** -53)).toBe(2)
})

it('warp applies the temperature before the filters', () => {
  const logits = Float32Array.of(2, 1, 0)
  warp(logits, { temperature: 0.5, topK: 0, topP: 1, minP: 0.1 })
  // e⁻² is above 0.1, e⁻⁴ below.
  expect([...logits]).toEqual([4, 2, -Infinity])
})
