import { describeModel, readModelGoldens } from '@attune/testkit'
import { hierarchicalAttention } from './hierarchical-attention.js'

const goldens = readModelGoldens(hierarchicalAttention, 'golden')

describeModel(hierarchicalAttention, {
  options: { ...goldens['classification']!.options, dropout: 0.3 },
  goldens: Object.values(goldens),
})
