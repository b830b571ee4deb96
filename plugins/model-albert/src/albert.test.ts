import { expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { albert } from './albert.js'

const goldens = readModelGoldens(albert, 'golden')

describeModel(albert, {
  options: { ...goldens['classification']!.options, hiddenDropoutProb: 0.1 },
  goldens: Object.values(goldens),
})

it('rejects a hidden size that is not a multiple of the number of heads', () => {
  expect(() => albert({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS' }),
  )
})
