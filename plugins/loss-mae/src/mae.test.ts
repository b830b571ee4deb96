import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { mae } from './mae.js'

const golden = JSON.parse(readFileSync('golden/mae.json', 'utf8')) as LossGolden

describeLoss(mae, { golden })
