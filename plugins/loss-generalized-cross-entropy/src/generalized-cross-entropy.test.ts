import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { generalizedCrossEntropy } from './generalized-cross-entropy.js'

const golden = JSON.parse(readFileSync('golden/generalized-cross-entropy.json', 'utf8')) as LossGolden

describeLoss(generalizedCrossEntropy, { golden })
