import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { spectralNorm } from './spectral-norm.js'

describeRegularizer(spectralNorm, {
  options: { strength: 0.01, iterations: 100 },
  golden: JSON.parse(readFileSync('golden/torch-spectral-norm.json', 'utf8')) as RegularizerGolden,
})
