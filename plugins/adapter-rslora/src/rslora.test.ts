import { describeAdapter } from '@attune/testkit'
import { rslora } from './rslora.js'

describeAdapter(rslora)
describeAdapter(rslora, { options: { rank: 2, alpha: 1, targets: 'all-linear' } })
