import {
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type ClassificationBatch,
  type ClassificationItem,
  classificationItems,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  numberOf,
  textOptions,
} from '@attune/data'
import { classifier, lossOf, squaredError } from '@attune/nn'
import { type Tensor, ones, squeeze } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...textOptions,
  number: z.string().default('number').meta({ field: 'label' }).describe('Field that holds the number'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<ClassificationItem, ClassificationBatch, Tensor> {
  const head = classifier(model, 'sequence-classification', 1)
  const ofRows = lossOf(losses, 'numbers', squaredError)
  const { maximumLength } = lengthsFor(o, model)
  const { encode, collate } = classificationItems({ ...o, tokenizer, maximumLength, compares: 'numbers' })
  return {
    views: ['number'],
    config: {
      architectures: [head.architecture],
      problem_type: 'regression',
      id2label: { 0: 'LABEL_0' },
      label2id: { LABEL_0: 0 },
    },
    maximumLength,
    init: head.init,
    encode: (example) => encode(example, numberOf(example, o.number, 'number')),
    encodeUnlabelled: (example) => encode(example, 0),
    collate,
    head: (params, { pooled }, mode) => squeeze(head.forward(params, pooled, mode), [1]),
    loss: (numbers, batch) => ({ losses: ofRows(numbers, batch.labels), weights: ones([numbers.shape[0] as number]) }),
    predict: (numbers, items) => items.map((_, i) => ({ number: numbers.values[i] as number })),
    reference: ({ label }) => ({ number: label }),
  }
}

/**
 * Regression: a number for a text, or for a pair of texts, as in ratings and similarity scores. Dropout and a linear layer on the
 * model's pooled output, trained with the mean squared error. Parameters are named as in transformers'
 * `…ForSequenceClassification` with one output. Near neighbour: sequence-classification predicts one of a set of labels.
 */
export const regression = definePlugin({
  kind: OBJECTIVE,
  name: 'regression',
  summary: 'Regression: a number for each text or pair of texts',
  source: 'Devlin et al., BERT, 2019, section 4.1 (STS-B)',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective regression': typeof regression
  }
}

export default regression
