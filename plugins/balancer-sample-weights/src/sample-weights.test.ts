import { key, stream } from '@attune/core'
import { describeBalancer } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { sampleWeights } from './sample-weights.js'

describeBalancer(sampleWeights, { fieldValue: () => '2.5' })

const balance = (classes: readonly string[]) => sampleWeights().balance({ classes }, stream(key(1)))

describe('sample-weights', () => {
  it('returns all examples in order, with the numbers of the field', () =>
    expect(balance(['1', '0', '0.30000000000000004', '1e-3'])).toEqual({
      indices: [0, 1, 2, 3],
      weights: [1, 0, 0.30000000000000004, 0.001],
    }))

  it.each(['', ' ', 'ham', '-1', 'NaN', 'Infinity', '[1]'])('rejects a weight of %j', (weight) =>
    expect(() => balance(['1', weight])).toThrow(expect.objectContaining({ code: 'BAD_ROW' })),
  )
})
