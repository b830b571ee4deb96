import {
  AttuneError,
  type Example,
  LOSS,
  MODEL,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  definePlugin,
  excerpt,
} from '@attune/core'
import {
  type ClassificationBatch,
  type ClassificationItem,
  classificationItems,
  classificationOptions,
  labelConfig,
  labelNumbers,
  lengthsFor,
  requireLabels,
  scoresByLabel,
  withLabels,
} from '@attune/data'
import { binaryCrossEntropy, hostRow, hostSigmoid, lossOf, pooledHead } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...classificationOptions,
  label: z.string().default('labels').meta({ field: 'label' }).describe('Field that holds the list of labels'),
  threshold: z.number().gt(0).lt(1).default(0.5).describe('A label is predicted if its probability is at least this'),
})

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
  fit: (o, examples) => withLabels(o, examples, (each) => labelsIn(each, o.label)),
  create(o, { model, tokenizer, losses }): Objective<Item, ClassificationBatch, Tensor> {
    const labels = requireLabels('multi-label-classification', o.labels)
    const numberOf = labelNumbers(labels)
    const ofRows = lossOf(losses, 'indicators', (logits, targets) => binaryCrossEntropy(logits, targets))
    const head = pooledHead(model, 'sequence-classification', labels.length, ofRows)
    const settings = { ...o, ...lengthsFor(o, model), tokenizer, compares: 'indicators' } as const
    const { encode, ...items } = classificationItems<readonly number[]>(settings)
    const indicators = (names: readonly string[]): readonly number[] => {
      const present = new Set(names.map(numberOf))
      return labels.map((_, id) => (present.has(id) ? 1 : 0))
    }
    const views = (scores: readonly number[]) => ({
      labels: labels.filter((_, id) => scores[id]! >= o.threshold),
      scores: scoresByLabel(labels, scores),
    })
    return {
      ...head,
      ...items,
      views: ['labels', 'scores'],
      config: { ...head.config, problem_type: 'multi_label_classification', ...labelConfig(labels) },
      encode: (example) => encode(example, indicators(labelsIn(example, o.label))),
      encodeUnlabelled: (example) => encode(example, indicators([])),
      predict: (logits, rows) => rows.map((_, i) => views(hostSigmoid(hostRow(logits, i)))),
      reference: ({ label }) => views(label),
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective multi-label-classification': typeof multiLabelClassification
  }
}

export default multiLabelClassification
