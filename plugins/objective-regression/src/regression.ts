import { LOSS, MODEL, OBJECTIVE, type Objective, TOKENIZER, definePlugin } from '@attune/core'
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
import { lossOf, scoreHead, squaredError } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...textOptions,
  number: z.string().default('number').meta({ field: 'label' }).describe('Field that holds the number'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

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
  create(o, { model, tokenizer, losses }): Objective<ClassificationItem, ClassificationBatch, Tensor> {
    const settings = { ...o, ...lengthsFor(o, model), tokenizer, compares: 'numbers' } as const
    const { encode, ...items } = classificationItems(settings)
    return {
      ...scoreHead(model, lossOf(losses, 'numbers', squaredError)),
      ...items,
      views: ['number'],
      encode: (example) => encode(example, numberOf(example, o.number, 'number')),
      encodeUnlabelled: (example) => encode(example, 0),
      predict: (numbers, rows) => rows.map((_, i) => ({ number: numbers.values[i] as number })),
      reference: ({ label }) => ({ number: label }),
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective regression': typeof regression
  }
}

export default regression
