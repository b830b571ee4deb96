import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { triplet } from './triplet.js'

const golden = JSON.parse(readFileSync('golden/triplet.json', 'utf8')) as LossGolden

describeLoss(triplet, { golden })
describeLoss(triplet, { options: { negatives: 'hardest', distance: 'cosine' } })
