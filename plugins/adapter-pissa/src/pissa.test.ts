import { describeAdapter } from '@attune/testkit'
import { pissa } from './pissa.js'

describeAdapter(pissa)
describeAdapter(pissa, { options: { rank: 2, alpha: 1, targets: 'all-linear' } })
