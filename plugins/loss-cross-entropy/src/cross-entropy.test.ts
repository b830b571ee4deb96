import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { crossEntropy } from './cross-entropy.js'

const golden = JSON.parse(readFileSync('golden/cross-entropy.json', 'utf8')) as LossGolden

describeLoss(crossEntropy, { golden })
describeLoss(crossEntropy, { options: { labelSmoothing: 0.2 } })
