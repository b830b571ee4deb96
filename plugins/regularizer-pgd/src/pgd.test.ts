import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { pgd } from './pgd.js'

describeRegularizer(pgd, {
  options: { epsilon: 0.5 },
  golden: JSON.parse(readFileSync('golden/torch-pgd.json', 'utf8')) as RegularizerGolden,
})
