import { readFileSync } from 'node:fs'
import { type LossGolden, describeLoss } from '@attune/testkit'
import { cosine } from './cosine.js'

const golden = JSON.parse(readFileSync('golden/cosine.json', 'utf8')) as LossGolden

describeLoss(cosine, { golden })
