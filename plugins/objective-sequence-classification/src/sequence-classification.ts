import { LOSS, MODEL, OBJECTIVE, type Objective, TOKENIZER, definePlugin } from '@attune/core'
import {
  type ClassificationBatch,
  type ClassificationItem,
  classificationItems,
  classificationOptions,
  labelConfig,
  labelNumbers,
  labelOf,
  lengthsFor,
  requireLabels,
  scoresByLabel,
  withLabels,
} from '@attune/data'
import { hostRow, hostSoftmax, lossOf, noise, pooledHead, sampleTokens } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Classification of a text, or of a pair of texts, into one of a set of labels: dropout and a linear layer on the model's pooled
 * output, trained with cross-entropy. Parameters are named as in transformers' `…ForSequenceClassification`.
 */
export const sequenceClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'sequence-classification',
  summary: 'Sequence classification: one label for each text or pair of texts',
  source: 'Devlin et al., BERT, 2019, section 4.1',
  options: z.strictObject(classificationOptions),
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  fit: (o, examples) => withLabels(o, examples, (each) => [labelOf(each, o.label)]),
  create(o, { model, tokenizer, losses }): Objective<ClassificationItem, ClassificationBatch, Tensor> {
    const labels = requireLabels('sequence-classification', o.labels)
    const numberOf = labelNumbers(labels)
    const head = pooledHead(model, 'sequence-classification', labels.length, lossOf(losses, 'labels'))
    const { encode, ...items } = classificationItems({ ...o, ...lengthsFor(o, model), tokenizer })
    const views = (best: number, probabilities: readonly number[]) => ({
      label: labels[best],
      scores: scoresByLabel(labels, probabilities),
    })
    return {
      ...head,
      ...items,
      sampleLabels(params, outputs, mode, batch, key) {
        const logits = head.head(params, outputs, mode)
        return { ...batch, labels: sampleTokens(logits, noise(key, batch.labels.shape, 'uniform')) }
      },
      views: ['label', 'scores'],
      config: { ...head.config, problem_type: 'single_label_classification', ...labelConfig(labels) },
      encode: (example) => encode(example, numberOf(labelOf(example, o.label))),
      encodeUnlabelled: (example) => encode(example, -1),
      predict: (logits, rows) =>
        rows.map((_, i) => {
          const probabilities = hostSoftmax(hostRow(logits, i))
          return views(probabilities.indexOf(Math.max(...probabilities)), probabilities)
        }),
      reference({ label }) {
        const scores = labels.map((_, i) => (i === label ? 1 : 0))
        return views(label, scores)
      },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective sequence-classification': typeof sequenceClassification
  }
}

export default sequenceClassification
