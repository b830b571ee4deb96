import {
  AttuneError,
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
  labelNames,
  labelNumbers,
  labelOf,
  learnLabels,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  requireLabels,
  textOptions,
} from '@attune/data'
import { binaryCrossEntropy, classifier, lossOf, parameter } from '@attune/nn'
import { type Tensor, add, mul, ones, tensor1d } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...textOptions,
  label: z.string().default('label').meta({ field: 'label' }).describe('Field that holds the label'),
  labels: labelNames.describe(
    'Label names from the lowest to the highest; default: the labels of the training examples, if all are numbers',
  ),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

type Options = z.output<typeof options>
type Item = ClassificationItem<readonly number[]>

/** Name of the thresholds in checkpoints. */
const THRESHOLDS = 'ordinal.thresholds'

/** Sorts labels that are numbers. @throws AttuneError `NO_LABELS` if one is not */
function inOrder(labels: readonly string[]): readonly string[] {
  const other = labels.find((label) => label.trim() === '' || !Number.isFinite(Number(label)))
  if (other === undefined) return [...labels].sort((a, b) => Number(a) - Number(b))
  throw new AttuneError(
    'NO_LABELS',
    `objective ordinal-classification: expected labels in order, got ${labels.slice(0, 10).join(', ')} in the training examples`,
    'List them from the lowest to the highest: `labels: [poor, fair, good]` in the objective.',
  )
}

/** The labels, at least two. @throws AttuneError `NO_LABELS` */
function orderedLabels(given: readonly string[] | undefined): readonly string[] {
  const labels = requireLabels('ordinal-classification', given)
  if (labels.length > 1) return labels
  throw new AttuneError(
    'NO_LABELS',
    `objective ordinal-classification: expected at least two labels, got ${labels.join(', ')}`,
    'List all labels from the lowest to the highest: `labels: [poor, fair, good]` in the objective.',
  )
}

/** For each threshold, 1 if a rank is above it, otherwise 0. */
const levelsOf = (rank: number, labels: readonly string[]): readonly number[] =>
  labels.slice(1).map((_, i) => (i < rank ? 1 : 0))

/** Views of a text with the probability that its rank is above each threshold. */
function viewsOf(above: readonly number[], labels: readonly string[]) {
  const rank = above.filter((probability) => probability > 0.5).length
  const shares = labels.map((_, i) => Math.max(0, (above[i - 1] ?? 1) - (above[i] ?? 0)))
  const total = shares.reduce((sum, share) => sum + share, 0)
  return {
    label: labels[rank]!,
    number: rank,
    scores: Object.fromEntries(labels.map((name, i) => [name, shares[i]! / total])),
  }
}

const sigmoids = ({ values }: HostArray, row: number, size: number): readonly number[] =>
  Array.from(values.subarray(row * size, (row + 1) * size) as Float32Array, (logit) => 1 / (1 + Math.exp(-logit)))

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, ClassificationBatch, Tensor> {
  const labels = orderedLabels(o.labels)
  const count = labels.length - 1
  const head = classifier(model, 'sequence-classification', 1)
  const rankOf = labelNumbers(labels)
  const ofRows = lossOf(losses, 'indicators', (logits, levels) => mul(count, binaryCrossEntropy(logits, levels)))
  const { maximumLength } = lengthsFor(o, model)
  const settings = { ...o, tokenizer, maximumLength, compares: 'indicators' } as const
  const { encode, collate } = classificationItems<readonly number[]>(settings)
  return {
    views: ['label', 'scores', 'number'],
    config: {
      architectures: [head.architecture],
      problem_type: 'regression',
      id2label: { 0: 'LABEL_0' },
      label2id: { LABEL_0: 0 },
      ordinal_labels: labels,
    },
    maximumLength,
    init: (key) => ({ ...head.init(key), [THRESHOLDS]: tensor1d(labels.slice(1).map((_, i) => (count - i) / count)) }),
    encode: (example) => encode(example, levelsOf(rankOf(labelOf(example, o.label)), labels)),
    encodeUnlabelled: (example) => encode(example, levelsOf(0, labels)),
    collate,
    head: (params, { pooled }, mode) => add(head.forward(params, pooled, mode), parameter(params, THRESHOLDS)),
    loss: (logits, batch) => ({ losses: ofRows(logits, batch.labels), weights: ones([logits.shape[0] as number]) }),
    predict: (logits, items) => items.map((_, row) => viewsOf(sigmoids(logits, row, count), labels)),
    reference: ({ label }) => viewsOf(label, labels),
  }
}

/**
 * Ordinal classification (CORAL): labels with an order but without distances, such as grades and severities. Dropout and a linear layer
 * with one output give a score; for each of the `labels − 1` thresholds, the probability that the label is above it is the sigmoid of the
 * score plus a bias of its own. The loss is the sum of the binary cross-entropies of the thresholds; the predicted rank is the number of
 * probabilities above 0.5. The weights of the score are shared, so a higher score never lowers the label. `scores` are the differences
 * of consecutive probabilities, negative ones as 0. A saved model opens in transformers as `…ForSequenceClassification` with one output, the
 * score; the biases are an additional tensor, `ordinal.thresholds`. Near neighbours: sequence-classification ignores the order;
 * regression assumes distances.
 */
export const ordinalClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'ordinal-classification',
  summary: 'Ordinal classification: one of several ordered labels for each text or pair of texts',
  source: 'Cao et al., Rank consistent ordinal regression (CORAL), 2020, section 3.3, equations 4 to 6',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples) {
    if (o.labels !== undefined) return o
    return { ...o, labels: [...inOrder(await learnLabels(examples(), (each) => [labelOf(each, o.label)]))] }
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective ordinal-classification': typeof ordinalClassification
  }
}

export default ordinalClassification
