import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { huber } from './huber.js'

const golden = JSON.parse(readFileSync('golden/huber.json', 'utf8')) as LossGolden

describeLoss(huber, { golden })
