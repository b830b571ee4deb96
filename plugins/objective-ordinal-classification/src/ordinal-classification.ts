import { AttuneError, LOSS, MODEL, OBJECTIVE, type Objective, TOKENIZER, definePlugin } from '@attune/core'
import {
  type ClassificationBatch,
  type ClassificationItem,
  classificationItems,
  classificationOptions,
  labelNames,
  labelNumbers,
  labelOf,
  learnLabels,
  lengthsFor,
  requireLabels,
  scoresByLabel,
} from '@attune/data'
import { binaryCrossEntropy, hostRow, hostSigmoid, lossOf, ordinalHead } from '@attune/nn'
import { type Tensor, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const options = z.strictObject({
  ...classificationOptions,
  labels: labelNames.describe(
    'Label names from the lowest to the highest; default: the labels of the training examples, if all are numbers',
  ),
})

type Item = ClassificationItem<readonly number[]>

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

/** For each threshold, 1 if a rank is above it, otherwise 0. */
const levelsOf = (rank: number, labels: readonly string[]): readonly number[] =>
  labels.slice(1).map((_, i) => (i < rank ? 1 : 0))

/** Views of a text with the probability that its rank is above each threshold. */
function viewsOf(above: readonly number[], labels: readonly string[]) {
  const rank = above.filter((probability) => probability > 0.5).length
  const shares = labels.map((_, i) => Math.max(0, (above[i - 1] ?? 1) - (above[i] ?? 0)))
  const total = shares.reduce((sum, share) => sum + share, 0)
  const scores = shares.map((share) => share / total)
  return { label: labels[rank]!, number: rank, scores: scoresByLabel(labels, scores) }
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
  create(o, { model, tokenizer, losses }): Objective<Item, ClassificationBatch, Tensor> {
    const labels = requireLabels('ordinal-classification', o.labels, 2)
    const rankOf = labelNumbers(labels)
    const ofRows = lossOf(losses, 'indicators', (logits, levels) =>
      mul(labels.length - 1, binaryCrossEntropy(logits, levels)),
    )
    const head = ordinalHead(model, labels.length, ofRows)
    const settings = { ...o, ...lengthsFor(o, model), tokenizer, compares: 'indicators' } as const
    const { encode, ...items } = classificationItems<readonly number[]>(settings)
    return {
      ...head,
      ...items,
      views: ['label', 'scores', 'number'],
      config: { ...head.config, ordinal_labels: labels },
      encode: (example) => encode(example, levelsOf(rankOf(labelOf(example, o.label)), labels)),
      encodeUnlabelled: (example) => encode(example, levelsOf(0, labels)),
      predict: (logits, rows) => rows.map((_, i) => viewsOf(hostSigmoid(hostRow(logits, i)), labels)),
      reference: ({ label }) => viewsOf(label, labels),
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective ordinal-classification': typeof ordinalClassification
  }
}

export default ordinalClassification
