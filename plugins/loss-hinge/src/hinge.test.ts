import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { hinge } from './hinge.js'

const golden = JSON.parse(readFileSync('golden/hinge.json', 'utf8')) as LossGolden

describeLoss(hinge, { golden })
describeLoss(hinge, { options: { variant: 'binary' } })
describeLoss(hinge, { options: { variant: 'weston-watkins' } })
