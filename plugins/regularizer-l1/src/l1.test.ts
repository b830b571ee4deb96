import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { l1 } from './l1.js'

describeRegularizer(l1, {
  options: { strength: 0.01 },
  golden: JSON.parse(readFileSync('golden/torch-l1.json', 'utf8')) as RegularizerGolden,
})

const weight = (...values: number[]) => ({ shape: [values.length, 1], values })
describeRegularizer(l1, {
  options: { only: '*.weight' },
  golden: {
    source: 'arithmetic',
    cases: [
      {
        options: { strength: 2, only: 'a.*|!*.up.*' },
        parameters: { 'a.weight': weight(3, -4), 'a.up.weight': weight(5), 'b.weight': weight(7) },
        expected: 2 * (3 + 4),
      },
    ],
  },
})
