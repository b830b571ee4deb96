import { describe, expect, it } from '@jest/globals'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import { regression } from './regression.js'

const examples = [
  { text: 'fine', number: 4 },
  { text: 'it broke on the very first day', number: 1.5 },
  { text: 'it is a chair', number: '3' },
  { text: '', number: -2 },
  { text: 'the best that I have had in years', number: 5 },
  { text: 'no', number: 0 },
  { text: 'so so', number: 2.25 },
]

describeObjective(regression, { examples, references: ['number'] })
describeObjective(regression, {
  examples: examples.map(({ text, number }) => ({ a: text, b: 'same', score: number })),
  options: { text: 'a', pair: 'b', number: 'score', maximumLength: 12 },
  references: ['score'],
})

describe('objective regression', () => {
  const objective = regression({}, { model: tinyModel(), tokenizer: tinyTokenizer() })

  it('returns the output of the head as the number', () => {
    const numbers = { shape: [2], dtype: 'float32', values: Float32Array.of(0.5, -3) } as const
    const items = examples.slice(0, 2).map((each) => objective.encode(each))
    expect(objective.predict(numbers as never, items)).toEqual([{ number: 0.5 }, { number: -3 }])
    expect(items.map((item) => objective.reference(item))).toEqual([{ number: 4 }, { number: 1.5 }])
  })

  it.each([[null], [''], ['four'], [Infinity], [1e39], [[1]]])('rejects %p as a number', (number) => {
    expect(() => objective.encode({ text: 'a', number } as never)).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD', problem: expect.stringContaining('"number"') as never }),
    )
  })

  it('says in config.json that it is a regression with one output', () => {
    expect(objective.config).toMatchObject({ problem_type: 'regression', id2label: { 0: 'LABEL_0' } })
  })
})
