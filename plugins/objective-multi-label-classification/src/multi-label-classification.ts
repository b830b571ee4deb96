import {
  AttuneError,
  type Example,
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
  excerpt,
} from '@attune/core'
import {
  type ClassificationBatch,
  type ClassificationItem,
  classificationItems,
  labelConfig,
  labelNames,
  labelNumbers,
  learnLabels,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  requireLabels,
  textOptions,
} from '@attune/data'
import { binaryCrossEntropy, lossOf, pooledHead } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...textOptions,
  label: z.string().default('labels').meta({ field: 'label' }).describe('Field that holds the list of labels'),
  labels: labelNames,
  threshold: z.number().gt(0).lt(1).default(0.5).describe('A label is predicted if its probability is at least this'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>
type Item = ClassificationItem<readonly number[]>

/** The labels of an example, each once. @throws AttuneError `MISSING_FIELD` */
function labelsIn(example: Example, field: string): readonly string[] {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  const isName = (each: unknown): boolean => typeof each === 'string' || typeof each === 'number'
  if (Array.isArray(value) && value.every(isName)) return [...new Set(value.map(String))]
  throw new AttuneError(
    'MISSING_FIELD',
    `expected a list of labels in field "${field}" of an example, got ${excerpt(value, 120)}`,
    'Write a list, such as ["a", "b"], or [] for none; with one label for each text, use `objective: sequence-classification`.',
  )
}

/** Sigmoid of row `i` of logits `[batch, labels]`. */
const probabilities = ({ values }: HostArray, i: number, size: number): readonly number[] =>
  Array.from(values.subarray(i * size, (i + 1) * size) as Float32Array, (logit) => 1 / (1 + Math.exp(-logit)))

/** Sets of labels as numbers, and as views. */
function labelSets(labels: readonly string[], threshold: number) {
  const numberOf = labelNumbers(labels)
  return {
    /** 1 for each label that is present, 0 for the others. */
    indicators(names: readonly string[]): readonly number[] {
      const present = new Set(names.map(numberOf))
      return labels.map((_, id) => (present.has(id) ? 1 : 0))
    },
    views: (scores: readonly number[]) => ({
      labels: labels.filter((_, id) => scores[id]! >= threshold),
      scores: Object.fromEntries(labels.map((name, id) => [name, scores[id]!])),
    }),
  }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, ClassificationBatch, Tensor> {
  const labels = requireLabels('multi-label-classification', o.labels)
  const ofRows = lossOf(losses, 'indicators', (logits, targets) => binaryCrossEntropy(logits, targets))
  const { config, ...head } = pooledHead(model, 'sequence-classification', labels.length, ofRows)
  const { maximumLength } = lengthsFor(o, model)
  const { encode, collate } = classificationItems<readonly number[]>({
    ...o,
    tokenizer,
    maximumLength,
    compares: 'indicators',
  })
  const { indicators, views } = labelSets(labels, o.threshold)
  return {
    ...head,
    views: ['labels', 'scores'],
    config: { ...config, problem_type: 'multi_label_classification', ...labelConfig(labels) },
    maximumLength,
    encode: (example) => encode(example, indicators(labelsIn(example, o.label))),
    encodeUnlabelled: (example) => encode(example, indicators([])),
    collate,
    predict: (logits, items) => items.map((_, i) => views(probabilities(logits, i, labels.length))),
    reference: ({ label }) => views(label),
  }
}

/**
 * Multi-label classification: any number of labels for a text, or for a pair of texts, as in tags and topics. Dropout and a linear
 * layer on the model's pooled output, trained with binary cross-entropy, the mean over the labels. Each label is predicted on its
 * own, if its probability (sigmoid of its logit) is at least `threshold`. Parameters are named as in transformers'
 * `…ForSequenceClassification`. Near neighbour: sequence-classification predicts exactly one label.
 */
export const multiLabelClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'multi-label-classification',
  summary: 'Multi-label classification: any number of labels for each text or pair of texts',
  source: 'Tsoumakas and Katakis, Multi-Label Classification: An Overview, 2007, section 3 (binary relevance)',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples) {
    return o.labels === undefined
      ? { ...o, labels: await learnLabels(examples(), (each) => labelsIn(each, o.label)) }
      : o
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective multi-label-classification': typeof multiLabelClassification
  }
}

export default multiLabelClassification
