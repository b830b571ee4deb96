import { describeRegularizer } from '@attune/testkit'
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
    ],
  },
})
