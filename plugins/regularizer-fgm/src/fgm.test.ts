import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { fgm } from './fgm.js'

describeRegularizer(fgm, {
  options: { epsilon: 0.5 },
  golden: JSON.parse(readFileSync('golden/torch-fgm.json', 'utf8')) as RegularizerGolden,
})
