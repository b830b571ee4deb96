import {
  type Batch,
  type Encoded,
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
} from '@attune/core'
import {
  type TextArrays,
  labelConfig,
  labelNames,
  labelNumbers,
  learnLabels,
  lengthOptions,
  lengthsFor,
  missingField,
  mostTokens,
  paddedLength,
  requireLabels,
  textArrays,
} from '@attune/data'
import { dropout, fold, freshClassifier, headFor, linear, lossOf, nameParts, partsIn } from '@attune/nn'
import { type Tensor, ones } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** A text's token ids, and the number of its label; −1 where the label is not known. */
interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  readonly label: number
}

/** `labels` is int32 `[batch]`. */
interface ClassificationBatch extends Batch {
  readonly inputs: TextArrays
  readonly labels: HostArray
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('The field that holds the text'),
  pair: z.string().optional().meta({ field: 'text' }).describe('The field that holds a second text, if there is one'),
  label: z.string().default('label').meta({ field: 'label' }).describe('The field that holds the name of the label'),
  labels: labelNames,
  maximumLength: mostTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>

function field(example: Example, name: string): string {
  const value = Object.hasOwn(example, name) ? example[name] : undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw missingField(example, name, 'text or name')
}

function collate(items: readonly Item[], pad: number, multiple: number, maximum: number): ClassificationBatch {
  const length = paddedLength(Math.max(...items.map((item) => item.length)), multiple, maximum)
  return {
    inputs: textArrays(
      items.map((item) => item.ids),
      length,
      pad,
      items.map((item) => item.typeIds),
    ),
    labels: { shape: [items.length], dtype: 'int32', values: Int32Array.from(items, (item) => item.label) },
  }
}

/** The probabilities of row `i` of logits `[batch, labels]`. */
function softmaxRow(logits: HostArray, i: number, size: number): number[] {
  const row = [...logits.values.subarray(i * size, (i + 1) * size)]
  const greatest = Math.max(...row)
  const powers = row.map((logit) => Math.exp(logit - greatest))
  const total = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / total)
}

const byLabel = (labels: readonly string[], score: (label: number) => number): Record<string, number> =>
  Object.fromEntries(labels.map((name, label) => [name, score(label)]))

const KIND = { problem_type: 'single_label_classification' } as const

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, ClassificationBatch, Tensor> {
  const labels = requireLabels('sequence-classification', o.labels)
  const head = headFor(model, 'sequence-classification')
  const numberOf = labelNumbers(labels)
  const ofRows = lossOf(losses, 'labels')
  const limits = lengthsFor(o, model)
  const { maximumLength } = limits
  const encode = (example: Example, label: number): Item => {
    const pair = o.pair === undefined ? {} : { pair: field(example, o.pair) }
    const encoding = tokenizer.encode(field(example, o.text), { ...limits, ...pair })
    return { ...encoding, length: encoding.ids.length, label }
  }
  return {
    views: ['label', 'scores'],
    config: { architectures: [head.architecture], ...KIND, ...labelConfig(labels) },
    maximumLength,
    init: (key) => nameParts(head, freshClassifier(model, labels.length, key)),
    encode: (example) => encode(example, numberOf(field(example, o.label))),
    encodeUnlabelled: (example) => encode(example, -1),
    collate: (items) => collate(items, tokenizer.special.pad ?? 0, o.padToMultipleOf, maximumLength),
    head: (params, { pooled }, mode) =>
      linear(partsIn(head, params), 'classifier', dropout(pooled, model.headDropout, fold(mode, 999)), {
        bias: 'classifier.bias' in head.parts,
      }),
    loss: (logits, batch) => ({ losses: ofRows(logits, batch.labels), weights: ones([logits.shape[0] as number]) }),
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
 * Classification of a text, or of a pair of texts, into one of a set of labels: dropout and a linear layer on the
 * model's pooled output, trained with cross-entropy. Named as in the Hugging Face library's `…ForSequenceClassification`.
 */
export const sequenceClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'sequence-classification',
  summary: 'One label for each text, or pair of texts',
  source: 'Devlin et al., BERT, 2019, section 4.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples) {
    return o.labels === undefined
      ? { ...o, labels: await learnLabels(examples(), (each) => [field(each, o.label)]) }
      : o
  },
  create,
})
export default sequenceClassification
