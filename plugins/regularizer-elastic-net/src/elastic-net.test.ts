import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { elasticNet } from './elastic-net.js'

describeRegularizer(elasticNet, {
  options: { strength: 0.01 },
  golden: JSON.parse(readFileSync('golden/torch-elastic-net.json', 'utf8')) as RegularizerGolden,
})

const weight = (...values: number[]) => ({ shape: [values.length, 1], values })
describeRegularizer(elasticNet, {
  options: { only: '*.weight' },
  golden: {
    source: 'arithmetic',
    cases: [
      {
        options: { strength: 2, ratio: 0.25, only: 'a.*|!*.up.*' },
        parameters: { 'a.weight': weight(3, -4), 'a.up.weight': weight(5), 'b.weight': weight(7) },
        expected: 2 * (0.25 * (3 + 4) + (0.75 / 2) * (9 + 16)),
      },
    ],
  },
})
