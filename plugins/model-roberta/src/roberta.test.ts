import { expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { roberta } from './roberta.js'

const goldens = readModelGoldens(roberta, 'golden')

describeModel(roberta, {
  options: { ...goldens['classification']!.options, hiddenDropoutProb: 0.1 },
  goldens: Object.values(goldens),
})

it('rejects a hidden size that is not a multiple of the number of heads', () => {
  expect(() => roberta({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS' }),
  )
})
