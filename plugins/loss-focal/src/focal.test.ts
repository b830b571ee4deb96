import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { focal } from './focal.js'

const golden = JSON.parse(readFileSync('golden/focal.json', 'utf8')) as LossGolden

describeLoss(focal, { golden })
describeLoss(focal, { options: { activation: 'sigmoid', focusing: 0.5, alpha: 0.25 } })
