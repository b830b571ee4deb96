import { describeRegularizer } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { scalar, zeros } from '@tensorflow/tfjs-core'
import { l2 } from './l2.js'

const parameters = { 'a.weight': { shape: [2, 1], values: [3, -4] }, 'a.bias': { shape: [1], values: [10] } }

describeRegularizer(l2, {
  options: { strength: 0.1 },
  golden: {
    source: 'arithmetic',
    cases: [
      { options: { strength: 2 }, parameters, expected: 25 },
      { options: { strength: 2, all: true }, parameters, expected: 125 },
      { options: { strength: 0 }, parameters, expected: 0 },
      { options: { strength: 2, only: 'a.*' }, parameters, expected: 25 },
      { options: { strength: 2, only: '*.bias', all: true }, parameters, expected: 100 },
      { options: { strength: 2, only: '*.bias' }, parameters, expected: 0 },
    ],
  },
})

it('rejects a pattern that matches no trainable parameter', () => {
  const loss = l2({ only: 'bert.*' }).wrap(() => ({ sum: scalar(0), weight: scalar(1) }))
  expect(() => loss({ trainable: { 'a.weight': zeros([2, 1]) }, frozen: {} } as never)).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS', remedy: 'Correct it to match one of a.weight.' }),
  )
})
