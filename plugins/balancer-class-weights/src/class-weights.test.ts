import { readFileSync } from 'node:fs'
import { type BalancerGolden, describeBalancer } from '@attune/testkit'
import { classWeights } from './class-weights.js'

describeBalancer(classWeights, {
  golden: JSON.parse(readFileSync('golden/scikit-learn.json', 'utf8')) as BalancerGolden,
})
