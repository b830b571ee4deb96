import { describeObjective } from '@attune/testkit'
import { sentenceOrderPrediction } from './sentence-order-prediction.js'

const examples = [
  { text: 'Ann sat. Bob ran. It rained.' },
  { text: ['one', 'two', 'three', 'four'] },
  { text: 'A! B? C.' },
  { text: 'The cat sat on the old mat by the fire. It slept.' },
  { text: ['x', 'y'] },
  { text: 'No. Yes. Well. So. Then. Now. Up. Down.' },
  { text: ['  a b c ', '', 'd e f', 'g h'] },
]

describeObjective(sentenceOrderPrediction, { examples, references: [] })
describeObjective(sentenceOrderPrediction, {
  examples: examples.map(({ text }) => ({ document: text })),
  options: { text: 'document', maximumLength: 14 },
  references: [],
})
