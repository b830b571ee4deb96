import { describeObjective } from '@attune/testkit'
import { nextSentencePrediction } from './next-sentence-prediction.js'

const examples = [
  { text: 'Ann sat. Bob ran. It rained.' },
  { text: ['one', 'two', 'three', 'four'] },
  { text: 'A! B? C.' },
  { text: 'The cat sat on the old mat by the fire. It slept.' },
  { text: ['x', 'y'] },
  { text: 'No. Yes. Well. So. Then. Now. Up. Down.' },
  { text: ['  a b c ', '', 'd e f', 'g h'] },
]

describeObjective(nextSentencePrediction, { examples, references: [] })
describeObjective(nextSentencePrediction, {
  examples: examples.map(({ text }) => ({ document: text })),
  options: { text: 'document', maximumLength: 14 },
  references: [],
})
