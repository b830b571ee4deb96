import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { freelb } from './freelb.js'

describeRegularizer(freelb, {
  options: { epsilon: 0.5 },
  golden: JSON.parse(readFileSync('golden/torch-freelb.json', 'utf8')) as RegularizerGolden,
})
