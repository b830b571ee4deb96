import { readFileSync } from 'node:fs'
import { describeSampler } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { length } from './length.js'
import { lengthGrouped } from './length-grouped.js'

const golden = JSON.parse(readFileSync('golden/transformers.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly { lengths: number[]; order: number[]; batchSize: number; expected: number[] }[]
}

describeSampler(length)

describe('length', () => {
  for (const { lengths, order, batchSize, expected } of golden.cases)
    it(`groups ${lengths.length} examples into batches of ${batchSize} like ${golden.source}`, () =>
      expect(lengthGrouped(order, (i) => lengths[i]!, batchSize)).toEqual(expected))
})
