import { describe, expect, it } from '@jest/globals'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import { multipleChoice } from './multiple-choice.js'

const examples = [
  { context: 'it rains', choices: ['wet', 'dry', 'red'], label: 0 },
  { context: 'fire', choices: ['hot', 'cold'], label: 0 },
  { context: 'the sun', choices: ['cold', 'blue', 'hot'], label: 2 },
  { context: 'snow', choices: ['red', 'white'], label: '1' },
  { context: 'a very long winter day', choices: ['short', 'long'], label: 0 },
  { context: '', choices: ['x', 'yes', 'no'], label: 1 },
]

describeObjective(multipleChoice, { examples, textsPerExample: 3 })
const swag = examples.map(({ context, choices, label }) => ({
  a: context,
  b: 'so',
  c0: choices[0],
  c1: choices[1],
  label: Number(label) % 2,
}))
describeObjective(multipleChoice, {
  examples: swag,
  options: { context: 'a', prefix: 'b', choices: ['c0', 'c1'], maximumLength: 12, truncationSide: 'left' },
  textsPerExample: 2,
})

describe('objective multiple-choice', () => {
  const objective = multipleChoice({}, { model: tinyModel(), tokenizer: tinyTokenizer() })
  const arc = { context: 'ice', choices: { text: ['hot', 'cold'], label: ['A', 'B'] }, label: 'B' }

  it('predicts the choice of the highest logit, without padding', () => {
    const items = [objective.encode(arc), objective.encode(examples[0]!)]
    const logits = {
      shape: [2, 3],
      dtype: 'float32',
      values: Float32Array.of(0, Math.log(3), 9, -1000, 0, -1000),
    } as never
    expect(objective.predict(logits, items)).toEqual([
      { label: 'B', scores: { A: expect.closeTo(0.25, 6), B: expect.closeTo(0.75, 6) } },
      { label: '1', scores: { 0: 0, 1: 1, 2: 0 } },
    ])
    expect(objective.reference(items[0]!)).toEqual({ label: 'B', scores: { A: 0, B: 1 } })
  })

  it('reads labels that are names, or indices from 0 where choices have no names', () => {
    expect(['A', 'B'].map((label) => objective.encode({ ...arc, label }).label)).toEqual([0, 1])
    const numbers = { ...arc, choices: { text: ['hot', 'cold'], label: ['1', '2'] } }
    expect([1, '2'].map((label) => objective.encode({ ...numbers, label }).label)).toEqual([0, 1])
    expect([0, '1'].map((label) => objective.encode({ ...arc, choices: ['hot', 'cold'], label }).label)).toEqual([0, 1])
  })

  it.each([
    [{ choices: [] }, 'choices'],
    [{ choices: 'hot' }, 'choices'],
    [{ choices: { text: ['hot'], label: ['A', 'B'] } }, 'choices'],
    [{ label: 'C' }, 'label'],
    [{ label: 0 }, 'label'],
    [{ label: ['A'] }, 'label'],
  ])('rejects %j', (wrong, name) => {
    expect(() => objective.encode({ ...arc, ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD', problem: expect.stringContaining(`"${name}"`) as never }),
    )
  })
})
