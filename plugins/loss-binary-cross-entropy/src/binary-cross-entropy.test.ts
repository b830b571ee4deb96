import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { binaryCrossEntropy } from './binary-cross-entropy.js'

const golden = JSON.parse(readFileSync('golden/binary-cross-entropy.json', 'utf8')) as LossGolden

describeLoss(binaryCrossEntropy, { golden })
