import { type AnyPlugin, type Chosen, MODEL, OBJECTIVE, type Objective, TOKENIZER, definePlugin } from '@attune/core'
import {
  type ClassificationBatch,
  type ClassificationItem,
  classificationItems,
  labelNames,
  labelNumbers,
  labelOf,
  withLabels,
} from '@attune/data'
import { classifier, crossEntropy } from '@attune/nn'
import { type Tensor, onesLike } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** A plugin with options, as a configuration holds it. */
export const chosenPlugin = (plugin: AnyPlugin, options: Readonly<Record<string, unknown>> = {}): Chosen => ({
  plugin,
  options: plugin.options.parse(options),
  origin: { specifier: plugin.name },
})

/** Classification of texts with the essential members only, for the tests of objectives that have another one in their options. */
export const tinyClassification = definePlugin({
  kind: OBJECTIVE,
  name: 'tiny-classification',
  summary: 'One label for each text',
  options: z.strictObject({
    text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the text'),
    label: z.string().default('label').meta({ field: 'label' }).describe('Field that holds the label'),
    labels: labelNames,
  }),
  needs: { model: MODEL, tokenizer: TOKENIZER },
  fit: (o, examples) => withLabels(o, examples, (each) => [labelOf(each, o.label)]),
  create(
    { text, label, labels = ['a', 'b'] },
    { model, tokenizer },
  ): Objective<ClassificationItem, ClassificationBatch, Tensor> {
    const head = classifier(model, 'sequence-classification', labels.length)
    const { maximumLength } = model
    const { encode, collate } = classificationItems({ tokenizer, text, maximumLength })
    const numberOf = labelNumbers(labels)
    return {
      views: ['label'],
      config: { architectures: [head.architecture] },
      maximumLength,
      init: head.init,
      encode: (example) => encode(example, numberOf(labelOf(example, label))),
      encodeUnlabelled: (example) => encode(example, -1),
      collate,
      head: (params, { pooled }, mode) => head.forward(params, pooled, mode),
      loss(logits, batch) {
        const losses = crossEntropy(logits, batch.labels)
        return { losses, weights: onesLike(losses) }
      },
      predict: ({ values }, items) =>
        items.map((_, i) => {
          const row = [...values.subarray(i * labels.length, (i + 1) * labels.length)]
          return { label: labels[row.indexOf(Math.max(...row))] }
        }),
      reference: (item) => ({ label: labels[item.label] ?? '' }),
    }
  },
})
