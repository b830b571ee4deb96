import { describeAdapter } from '@attune/testkit'
import { dora } from './dora.js'

describeAdapter(dora)
describeAdapter(dora, { options: { rank: 2, alpha: 1, targets: 'all-linear' } })
