import { readFileSync } from 'node:fs'
import { type RegularizerGolden, describeRegularizer } from '@attune/testkit'
import { elasticNet } from './elastic-net.js'

describeRegularizer(elasticNet, {
  options: { strength: 0.01 },
  golden: JSON.parse(readFileSync('golden/torch-elastic-net.json', 'utf8')) as RegularizerGolden,
})
