import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { infoNce } from './info-nce.js'

const golden = JSON.parse(readFileSync('golden/info-nce.json', 'utf8')) as LossGolden

describeLoss(infoNce, { options: { symmetric: true, temperature: 1 }, golden })
