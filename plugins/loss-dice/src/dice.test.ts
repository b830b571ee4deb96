import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { dice } from './dice.js'

const golden = JSON.parse(readFileSync('golden/dice.json', 'utf8')) as LossGolden

describeLoss(dice, { golden })
describeLoss(dice, { options: { activation: 'sigmoid', downWeighting: 0.5 } })
