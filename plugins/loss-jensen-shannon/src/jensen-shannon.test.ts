import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { jensenShannon } from './jensen-shannon.js'

const golden = JSON.parse(readFileSync('golden/jensen-shannon.json', 'utf8')) as LossGolden

describeLoss(jensenShannon, { golden })
