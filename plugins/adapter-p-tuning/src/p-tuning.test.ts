import { describeAdapter } from '@attune/testkit'
import { pTuning } from './p-tuning.js'

describeAdapter(pTuning, { options: { tokens: 3 } })
describeAdapter(pTuning, { options: { tokens: 2, encoder: 'lstm', hiddenSize: 4 } })
