import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { mse } from './mse.js'

const golden = JSON.parse(readFileSync('golden/mse.json', 'utf8')) as LossGolden

describeLoss(mse, { golden })
describeLoss(mse, { options: { targets: 'vectors' } })
