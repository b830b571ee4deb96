import {
  AttuneError,
  type Batch,
  type Encoded,
  type Example,
  type HostArray,
  MODEL,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  definePlugin,
} from '@attune/core'
import { crossEntropy, initialClassifier, linear } from '@attune/nn'
import { type Tensor, ones } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { integers, textInputs } from '../host-array.js'
import { tinyTokenizer } from '../tiny-tokenizer.js'
import { tinyDecoder } from '../tiny-decoder.js'

interface Item extends Encoded {
  readonly ids: readonly number[]
  readonly label: number
}
interface Labelled extends Batch {
  readonly inputs: ReturnType<typeof textInputs>
  readonly labels: HostArray
}
/** Instance of {@link classification}. */
export type Classification = Objective<Item, Labelled, Tensor>

/** Text field of an example. */
export const field = (example: Example, name: string): string => {
  if (typeof example[name] === 'string') return example[name]
  throw new AttuneError('NO_FIELD', `an example has no ${name}`, 'Name another field.')
}

/** Options of {@link classification}. */
export const options = z.strictObject({
  labels: z.array(z.string().min(1)).min(2).max(9).optional().describe('Class names'),
})

/** Collects the labels. */
export async function fit(given: z.output<typeof options>, examples: () => AsyncIterable<Example>) {
  if (given.labels !== undefined) return given
  const labels = new Set<string>()
  for await (const example of examples()) labels.add(field(example, 'label'))
  return { labels: [...labels].sort() }
}

/** Valid objective: classifies texts. */
export const classification = definePlugin({
  kind: OBJECTIVE,
  name: 'classification',
  summary: 'Classifies texts',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER },
  fit,
  create({ labels = [] }, { model, tokenizer }): Classification {
    const { maximumLength } = model
    const encode = (example: Example, label: number): Item => {
      const { ids, truncated } = tokenizer.encode(field(example, 'text'), { maximumLength })
      return { ids, truncated, length: ids.length, label }
    }
    return {
      views: ['label'],
      maximumLength,
      config: { architectures: ['TinyForClassification'] },
      init: (from) => initialClassifier(model, labels.length, from),
      encode: (example) => encode(example, labels.indexOf(field(example, 'label'))),
      encodeUnlabelled: (example) => encode(example, -1),
      collate: (items) => ({
        inputs: textInputs(items.map(({ ids }) => ids)),
        labels: integers(items.map(({ label }) => label)),
      }),
      head: (params, { pooled }) => linear(params, 'classifier', pooled), // [batch, labels]
      loss: (logits, batch) => ({ losses: crossEntropy(logits, batch.labels), weights: ones([logits.shape[0]!]) }),
      predict({ values }, items) {
        const rows = items.map((_, i) => values.subarray(i * labels.length, (i + 1) * labels.length))
        return rows.map((row) => ({ label: labels[row.indexOf(Math.max(...row))] }))
      },
      reference: ({ label }) => ({ label: labels[label] }),
    }
  },
})

/** Inputs of its suite. */
export const fixture = {
  given: { model: tinyDecoder(), tokenizer: tinyTokenizer() },
  examples: [
    { text: 'fine', label: 'good' },
    { text: 'it broke', label: 'bad' },
    { text: 'a chair', label: 'neither' },
    { text: 'the best that I have had in years', label: 'good' },
    { text: '', label: 'neither' },
    { text: 'no', label: 'bad' },
  ],
}
