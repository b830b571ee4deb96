import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import {
  type Probabilities,
  consensusEntropy,
  leastConfidence,
  marginUncertainty,
  predictionEntropy,
  voteEntropy,
} from './informativeness.js'
import { kCentreGreedy } from './k-centre-greedy.js'

const golden = JSON.parse(readFileSync('golden/selection.json', 'utf8')) as {
  readonly members: readonly (readonly Probabilities[])[]
  readonly uncertainty: readonly number[]
  readonly margin: readonly number[]
  readonly entropy: readonly number[]
  readonly voteEntropy: readonly number[]
  readonly consensusEntropy: readonly number[]
  readonly vectors: readonly number[][]
  readonly start: readonly number[]
  readonly centres: readonly number[]
}
const [first] = golden.members
const committees = first!.map((_, i) => golden.members.map((member) => member[i]!))
const expectClose = (found: readonly number[], expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length)
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 10)
}

describe('scores of active learning', () => {
  it('match modAL for one model', () => {
    expectClose(first!.map(leastConfidence), golden.uncertainty)
    expectClose(
      first!.map(marginUncertainty),
      golden.margin.map((margin) => 1 - margin),
    )
    expectClose(first!.map(predictionEntropy), golden.entropy)
  })

  it('match modAL for a committee', () => {
    expectClose(committees.map(voteEntropy), golden.voteEntropy)
    expectClose(committees.map(consensusEntropy), golden.consensusEntropy)
  })

  it('are extreme for certain and for uniform predictions', () => {
    expect([leastConfidence, marginUncertainty, predictionEntropy].map((score) => score([1, 0]))).toEqual([0, 0, 0])
    expect(predictionEntropy([0.5, 0.5])).toBeCloseTo(Math.log(2))
    expect(voteEntropy([[1, 0], [0, 1]])).toBeCloseTo(Math.log(2)) // prettier-ignore
  })
})

describe('kCentreGreedy', () => {
  it('chooses the centres of the greedy algorithm', () => {
    const { vectors, start, centres } = golden
    expect(kCentreGreedy(vectors, 5, start.map((at) => vectors[at]!))).toEqual(centres) // prettier-ignore
  })

  it('chooses each vector once, also among equal ones', () => {
    expect(kCentreGreedy([[1], [1], [1]], 5).sort()).toEqual([0, 1, 2])
    expect(kCentreGreedy([], 2)).toEqual([])
    expect(() => kCentreGreedy([[1], [1, 2]], 1)).toThrow(/length 1, got one of length 2/)
  })
})
