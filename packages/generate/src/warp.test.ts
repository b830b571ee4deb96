import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { argMax, draw, keepMinP, keepTopK, keepTopP, logSoftmax, penalise, warp } from './warp.js'

const golden = JSON.parse(readFileSync('golden/transformers-warping.json', 'utf8')) as {
  readonly source: string
  readonly warped: readonly { option: 'topK' | 'topP' | 'minP'; value: number; logits: number[]; kept: number[] }[]
  readonly penalty: { read: number[]; penalty: number; logits: number[]; penalised: number[] }
}
const rules = { topK: keepTopK, topP: keepTopP, minP: keepMinP }
const kept = (logits: Float32Array): number[] => [...logits.keys()].filter((id) => logits[id]! > -Infinity)

describe(`as ${golden.source}`, () => {
  it.each(golden.warped.map(({ option, value, ...rest }) => [option, value, rest] as const))(
    '%s of %p leaves the same tokens',
    (option, value, { logits, kept: expected }) => {
      const found = Float32Array.from(logits)
      rules[option](found, value)
      expect(kept(found)).toEqual(expected)
      for (const id of expected) expect(found[id]).toBe(Math.fround(logits[id]!))
    },
  )

  it('a repetition penalty changes the same logits by as much', () => {
    const { read, penalty, logits, penalised } = golden.penalty
    const found = Float32Array.from(logits)
    penalise(found, { read, written: [] }, { repetitionPenalty: penalty, presencePenalty: 0 })
    for (const [i, x] of penalised.entries()) expect(found[i]).toBeCloseTo(x, 6)
  })
})

it('a presence penalty is taken once from each token that was written, and from none that was read', () => {
  const logits = Float32Array.of(1, 1, 1, 1)
  penalise(logits, { read: [0], written: [2, 2, 3] }, { repetitionPenalty: 1, presencePenalty: 0.5 })
  expect([...logits]).toEqual([1, 1, 0.5, 0.5])
})

it('topK keeps ties, and everything where there are no more tokens than asked for', () => {
  const logits = Float32Array.of(2, 5, 2, 1, -Infinity)
  keepTopK(logits, 2)
  expect(kept(logits)).toEqual([0, 1, 2])
  keepTopK(logits, 9)
  expect(kept(logits)).toEqual([0, 1, 2])
})

it('probabilities of large logits add up to 1', () => {
  const sum = logSoftmax(Float32Array.of(1000, 999, -1000)).reduce((total, x) => total + Math.exp(x), 0)
  expect(sum).toBeCloseTo(1, 6)
})

it('argMax takes the first of equal ones', () => expect(argMax(Float32Array.of(1, 3, 3))).toBe(1))

it('draws each token as often as its probability says, and none that is ruled out', () => {
  const logits = Float32Array.from([0.1, 0.2, 0.7], Math.log)
  const all = Float32Array.of(...logits, -Infinity)
  const random = stream(key(3))
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 20_000; i++) counts[draw(all, random())]!++
  // A share p of n draws spreads by √(p(1 − p)/n), at most 0.0035 here; five spreads are one chance in a million.
  for (const [id, p] of [0.1, 0.2, 0.7, 0].entries()) expect(Math.abs(counts[id]! / 20_000 - p)).toBeLessThan(0.0175)
  expect(draw(all, 1 - 2 ** -53)).toBe(2)
})

it('a temperature comes before the choice of tokens', () => {
  const logits = Float32Array.of(2, 1, 0)
  warp(logits, { temperature: 0.5, topK: 0, topP: 1, minP: 0.1 })
  // e⁻² is more than a tenth, e⁻⁴ less.
  expect([...logits]).toEqual([4, 2, -Infinity])
})
