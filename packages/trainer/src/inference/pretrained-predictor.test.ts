import { describe, expect, it } from '@jest/globals'
import type { Model } from '@attune/core'
import { classifierObjective } from './pretrained-predictor.js'

const tensors = { 'classifier.weight': 'classifier.weight' }
const model = {
  heads: {
    contrastive: { architecture: 'BertModel', tensors: {} },
    'sequence-classification': { architecture: 'BertForSequenceClassification', tensors },
    'token-classification': { architecture: 'BertForTokenClassification', tensors },
    'span-extraction': { architecture: 'BertForQuestionAnswering', tensors },
    'multiple-choice': { architecture: 'BertForMultipleChoice', tensors },
    'next-sentence-prediction': { architecture: 'BertForNextSentencePrediction', tensors },
  },
} as unknown as Model
const architectures = ['BertForSequenceClassification']

const refusal = (config: Record<string, unknown>): unknown => {
  try {
    return classifierObjective(model, config)
  } catch (error) {
    return error
  }
}

describe('classifierObjective', () => {
  it('returns the objective and labels from architectures and id2label', () => {
    const id2label = { 1: 'good', 0: 'bad' }
    expect(classifierObjective(model, { architectures, id2label })).toEqual({
      use: 'sequence-classification',
      labels: ['bad', 'good'],
    })
    expect(classifierObjective(model, { architectures: ['BertForTokenClassification'], id2label }).use).toBe(
      'token-classification',
    )
  })

  it('returns the conditional random field of a tagger, with its scheme', () => {
    const config = { architectures: ['BertForTokenClassification'], id2label: { 0: 'O', 1: 'B-X' }, crf: true }
    expect(classifierObjective(model, config)).toEqual({
      use: 'token-classification',
      labels: ['O', 'B-X'],
      crf: true,
    })
    expect(classifierObjective(model, { ...config, tagging_scheme: 'BIO' })).toMatchObject({ scheme: 'BIO' })
  })

  it('returns the objective of the problem type', () => {
    const id2label = { 0: 'bad', 1: 'good' }
    expect(classifierObjective(model, { architectures, id2label, problem_type: 'multi_label_classification' })).toEqual(
      {
        use: 'multi-label-classification',
        labels: ['bad', 'good'],
      },
    )
    for (const problem_type of ['regression', null, undefined])
      expect(classifierObjective(model, { architectures, id2label: { 0: 'LABEL_0' }, problem_type })).toEqual({
        use: 'regression',
      })
  })

  it.each([
    ['BertForQuestionAnswering', 'span-extraction'],
    ['BertForMultipleChoice', 'multiple-choice'],
    ['BertForNextSentencePrediction', 'next-sentence-prediction'],
  ])('returns the objective of %s, which has no labels', (architecture, use) => {
    expect(classifierObjective(model, { architectures: [architecture] })).toEqual({ use })
  })

  it('returns ordered labels', () => {
    const config = { architectures, problem_type: 'regression', id2label: { 0: 'LABEL_0' } }
    const ordinal_labels = ['low', 'high']
    expect(classifierObjective(model, { ...config, ordinal_labels })).toEqual({
      use: 'ordinal-classification',
      labels: ordinal_labels,
    })
  })

  it('returns numbered labels if id2label is missing', () => {
    expect(classifierObjective(model, { architectures })).toMatchObject({ labels: ['LABEL_0', 'LABEL_1'] })
    expect(classifierObjective(model, { architectures, num_labels: 3 })).toMatchObject({
      labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'],
    })
  })

  it.each([
    ['another head', { architectures: ['BertModel'] }, '"BertModel"'],
    ['another family', { architectures: ['T5ForSequenceClassification'] }, '"T5ForSequenceClassification"'],
    ['no architecture', {}, 'got none'],
    ['a missing class id', { architectures, id2label: { 0: 'a', 2: 'b' } }, '{"0":"a","2":"b"}'],
    ['a label that is not a string', { architectures, id2label: { 0: 'a', 1: 2 } }, '{"0":"a","1":2}'],
    [
      'a single class',
      { architectures, id2label: { 0: 'a' }, problem_type: 'single_label_classification' },
      '1 output for',
    ],
    ['a regression with two outputs', { architectures, problem_type: 'regression' }, '2 outputs for "regression"'],
    ['another problem', { architectures, problem_type: 'ranking' }, '"ranking"'],
    [
      'tokens with several labels',
      { architectures: ['BertForTokenClassification'], problem_type: 'multi_label_classification' },
      '"multi_label_classification"',
    ],
  ])('rejects %s', (_, config, said) => {
    expect(refusal(config)).toMatchObject({
      code: 'NOT_A_CLASSIFIER',
      problem: expect.stringContaining(said) as unknown,
    })
  })
})
