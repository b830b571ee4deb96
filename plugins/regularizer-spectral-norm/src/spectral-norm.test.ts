import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { spectralNorm } from './spectral-norm.js'

describeRegularizer(spectralNorm, {
  options: { strength: 0.01, iterations: 100 },
  golden: JSON.parse(readFileSync('golden/torch-spectral-norm.json', 'utf8')) as RegularizerGolden,
})

const row = (...values: number[]) => ({ shape: [1, values.length], values })
describeRegularizer(spectralNorm, {
  options: { only: '*.weight' },
  golden: {
    source: 'arithmetic',
    cases: [
      {
        options: { strength: 2, only: 'a.*' },
        parameters: { 'a.weight': row(3, -4), 'b.weight': row(7) },
        expected: 25,
      },
    ],
  },
})
