import { expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { distilbert } from './distilbert.js'

const goldens = readModelGoldens(distilbert, 'golden')

describeModel(distilbert, {
  options: { ...goldens['classification']!.options, dropout: 0.1 },
  goldens: Object.values(goldens),
})

it('rejects a hidden size that is not a multiple of the number of heads', () => {
  expect(() => distilbert({ dim: 30, nHeads: 4 })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
})
