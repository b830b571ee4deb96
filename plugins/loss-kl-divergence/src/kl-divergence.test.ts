import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { klDivergence } from './kl-divergence.js'

const golden = JSON.parse(readFileSync('golden/kl-divergence.json', 'utf8')) as LossGolden

describeLoss(klDivergence, { golden })
describeLoss(klDivergence, { options: { direction: 'reverse' } })
