import {
  type HostArray,
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
  labelConfig,
  labelOf,
  labelNames,
  labelNumbers,
  learnLabels,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  requireLabels,
  textOptions,
} from '@attune/data'
import { lossOf, noise, pooledHead, sampleTokens } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...textOptions,
  label: z.string().default('label').meta({ field: 'label' }).describe('Field that holds the label'),
  labels: labelNames,
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>

/** Softmax of row `i` of logits `[batch, labels]`. */
function softmaxRow(logits: HostArray, i: number, size: number): number[] {
  const row = [...logits.values.subarray(i * size, (i + 1) * size)]
  const maximum = Math.max(...row)
  const powers = row.map((logit) => Math.exp(logit - maximum))
  const total = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / total)
}

const byLabel = (labels: readonly string[], score: (label: number) => number): Record<string, number> =>
  Object.fromEntries(labels.map((name, label) => [name, score(label)]))

const KIND = { problem_type: 'single_label_classification' } as const

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<ClassificationItem, ClassificationBatch, Tensor> {
  const labels = requireLabels('sequence-classification', o.labels)
  const numberOf = labelNumbers(labels)
  const { config, ...head } = pooledHead(model, 'sequence-classification', labels.length, lossOf(losses, 'labels'))
  const { maximumLength } = lengthsFor(o, model)
  const { encode, collate } = classificationItems({ ...o, tokenizer, maximumLength })
  return {
    ...head,
    sampleLabels(params, outputs, mode, batch, key) {
      const logits = head.head(params, outputs, mode)
      return { ...batch, labels: sampleTokens(logits, noise(key, batch.labels.shape, 'uniform')) }
    },
    views: ['label', 'scores'],
    config: { ...config, ...KIND, ...labelConfig(labels) },
    maximumLength,
    encode: (example) => encode(example, numberOf(labelOf(example, o.label))),
    encodeUnlabelled: (example) => encode(example, -1),
    collate,
    predict: (logits, items) =>
      items.map((_, i) => {
        const probabilities = softmaxRow(logits, i, labels.length)
        const best = probabilities.indexOf(Math.max(...probabilities))
        return { label: labels[best], scores: byLabel(labels, (j) => probabilities[j] as number) }
      }),
    reference: ({ label }) => ({ label: labels[label], scores: byLabel(labels, (i) => (i === label ? 1 : 0)) }),
  }
}

/**
 * Classification of a text, or of a pair of texts, into one of a set of labels: dropout and a linear layer on the model's pooled
 * output, trained with cross-entropy. Parameters are named as in transformers' `…ForSequenceClassification`.
 */
export const sequenceClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'sequence-classification',
  summary: 'Sequence classification: one label for each text or pair of texts',
  source: 'Devlin et al., BERT, 2019, section 4.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples) {
    return o.labels === undefined
      ? { ...o, labels: await learnLabels(examples(), (each) => [labelOf(each, o.label)]) }
      : o
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective sequence-classification': typeof sequenceClassification
  }
}

export default sequenceClassification
