import { describe, expect, it } from '@jest/globals'
import { describeObjective, tinyModel, tinyTokenizer } from '@attune/testkit'
import { multiLabelClassification } from './multi-label-classification.js'

const examples = [
  { text: 'fine and cheap', labels: ['good', 'cheap'] },
  { text: 'it broke on the very first day', labels: ['bad'] },
  { text: 'it is a chair', labels: [] },
  { text: 'dear, and bad', labels: ['bad', 'dear', 'bad'] },
  { text: '', labels: [] },
  { text: 'no', labels: ['bad'] },
  { text: 'naïve', labels: ['__proto__', 'good'] },
]

describeObjective(multiLabelClassification, { examples, references: ['labels'] })
describeObjective(multiLabelClassification, {
  examples: examples.map(({ text, labels }) => ({ a: text, b: 'same', tags: labels })),
  options: { text: 'a', pair: 'b', label: 'tags', maximumLength: 12 },
  references: ['tags'],
})

describe('objective multi-label-classification', () => {
  const labels = ['bad', 'cheap', 'good']
  const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
  const objective = multiLabelClassification({ labels, threshold: 0.6 }, given)

  it('predicts every label whose sigmoid reaches the threshold', () => {
    const values = Float32Array.of(0, Math.log(3), -1000, 1000, Math.log(1.5) + 1e-6, -1)
    const items = examples.slice(0, 2).map((each) => objective.encode(each))
    expect(objective.predict({ shape: [2, 3], dtype: 'float32', values } as never, items)).toEqual([
      { labels: ['cheap'], scores: { bad: 0.5, cheap: expect.closeTo(0.75, 6), good: 0 } },
      { labels: ['bad', 'cheap'], scores: { bad: 1, cheap: expect.closeTo(0.6, 6), good: expect.closeTo(0.2689, 4) } },
    ])
    expect(objective.reference(items[0]!)).toEqual({
      labels: ['cheap', 'good'],
      scores: { bad: 0, cheap: 1, good: 1 },
    })
  })

  it.each([['good'], [null], [[null]], [{ good: 1 }]])('rejects %p as a list of labels', (wrong) => {
    expect(() => objective.encode({ text: 'a', labels: wrong } as never)).toThrow(
      expect.objectContaining({ code: 'MISSING_FIELD', problem: expect.stringContaining('"labels"') as never }),
    )
  })

  it('rejects an unknown label', () => {
    expect(() => objective.encode({ text: 'a', labels: ['godo'] })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_LABEL', remedy: expect.stringContaining('good') as never }),
    )
  })
})
