import { describe, expect, it } from '@jest/globals'
import type { AttuneError, EncoderOutputs } from '@attune/core'
import { describeObjective, referenceEngine, tinyModel, tinyTokenizer } from '@attune/testkit'
import { tensor1d, zeros } from '@tensorflow/tfjs-core'
import { sequenceClassification } from './sequence-classification.js'

const examples = [
  { text: 'fine', label: 'good' },
  { text: 'it broke on the very first day', label: 'bad' },
  { text: 'it is a chair', label: 'neither' },
  { text: 'the best that I have had in years, and cheap', label: 'good' },
  { text: '', label: 'neither' },
  { text: 'no', label: 'bad' },
  { text: 'naïve 日本語', label: '__proto__' },
]

describeObjective(sequenceClassification, { examples })
describeObjective(sequenceClassification, {
  examples: examples.map(({ text, label }, i) => ({ question: text, answer: text.slice(i), intent: label === 'bad' })),
  options: { text: 'question', pair: 'answer', label: 'intent', maximumLength: 12, padToMultipleOf: 5 },
  references: ['intent'],
})

const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
const thrown = (call: () => unknown): AttuneError => {
  try {
    call()
  } catch (error) {
    return error as AttuneError
  }
  throw new Error('nothing was thrown')
}

describe('objective sequence-classification', () => {
  const labels = ['bad', 'good', 'neither']
  const objective = sequenceClassification({ labels }, given)

  it('suggests near misses of an unknown label and of a missing field', () => {
    const label = thrown(() => objective.encode({ text: 'a', label: 'godo' }))
    expect([label.code, label.remedy]).toEqual(['UNKNOWN_LABEL', expect.stringContaining('good')])
    const field = thrown(() => objective.encode({ txet: 'a', label: 'good' }))
    expect([field.code, field.remedy]).toEqual(['MISSING_FIELD', expect.stringContaining('txet')])
    expect(thrown(() => objective.encode({ text: 'a', label: null })).code).toBe('MISSING_FIELD')
  })

  it('samples labels from its predictions, the same ones for the same key', async () => {
    const engine = referenceEngine()
    await engine.start()
    const [bias, weight] = [tensor1d([0, 0, -50]), zeros([3, given.model.hiddenSize])]
    const params = { 'classifier.bias': bias, 'classifier.weight': weight }
    const outputs = { pooled: zeros([64, given.model.hiddenSize]) } as unknown as EncoderOutputs
    const sampled = (seed: number): number[] => {
      const batch = { labels: zeros([64], 'int32') } as never
      const at = { seed: tensor1d([seed, 1], 'int32'), stream: 3 }
      const { labels: made } = objective.sampleLabels!(params, outputs, { training: false }, batch, at)
      return [...(made as ReturnType<typeof zeros>).dataSync()]
    }
    const ofFirst = sampled(7).filter((label) => label === 0).length
    expect([ofFirst > 16, ofFirst < 48, new Set(sampled(7))]).toEqual([true, true, new Set([0, 1])])
    expect(sampled(7)).toEqual(sampled(7))
    expect(sampled(8)).not.toEqual(sampled(7))
    await engine.close()
  })

  it('ignores inherited properties as fields or labels', () => {
    expect(thrown(() => objective.encode({ text: 'a', label: 'constructor' })).code).toBe('UNKNOWN_LABEL')
    const other = sequenceClassification({ labels, text: 'constructor' }, given)
    expect(thrown(() => other.encode({ label: 'good' })).code).toBe('MISSING_FIELD')
  })

  it('requires labels, at least one, without duplicates', () => {
    expect(thrown(() => sequenceClassification({}, given)).code).toBe('NO_LABELS')
    for (const wrong of [[], ['a', 'b', 'a']])
      expect(thrown(() => sequenceClassification({ labels: wrong }, given)).code).toBe('BAD_OPTIONS')
  })

  it('predicts the softmax of the logits and the argmax label', () => {
    const logits = {
      shape: [2, 3],
      dtype: 'float32',
      values: Float32Array.of(0, Math.log(3), Math.log(4), 1000, 0, 0),
    } as const
    const items = examples.slice(0, 2).map((example) => objective.encodeUnlabelled(example))
    expect(objective.predict(logits as never, items)).toEqual([
      {
        label: 'neither',
        scores: { bad: expect.closeTo(1 / 8, 6), good: expect.closeTo(3 / 8, 6), neither: expect.closeTo(1 / 2, 6) },
      },
      { label: 'bad', scores: { bad: 1, good: 0, neither: 0 } },
    ])
  })

  it('truncates to the smaller of its own and the model’s maximum length', () => {
    expect(sequenceClassification({ labels, maximumLength: 10 }, given).maximumLength).toBe(10)
    expect(sequenceClassification({ labels, maximumLength: 10_000 }, given).maximumLength).toBe(
      tinyModel().maximumLength,
    )
  })
})

it('truncates a text on the given side', () => {
  const read = (truncationSide?: 'left' | 'right') => {
    const objective = sequenceClassification(
      { labels: ['a'], maximumLength: 6, ...(truncationSide === undefined ? {} : { truncationSide }) },
      given,
    )
    const { ids, truncated } = objective.encode({ text: 'abcdefgh', label: 'a' }) as never as {
      ids: number[]
      truncated: boolean
    }
    return [tinyTokenizer().decode(ids), truncated]
  }
  expect(read('left')).toEqual(['efgh', true])
  expect(read('right')).toEqual(['abcd', true])
  expect(read()).toEqual(['abcd', true])
})
