import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { l1 } from './l1.js'

describeRegularizer(l1, {
  options: { strength: 0.01 },
  golden: JSON.parse(readFileSync('golden/torch-l1.json', 'utf8')) as RegularizerGolden,
})
