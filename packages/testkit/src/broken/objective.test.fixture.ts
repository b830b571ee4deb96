import { type Example, type TextInputs, key } from '@attune/core'
import { type Tensor, customGrad, div, mean, mul, square, sub, sum } from '@tensorflow/tfjs-core'
import type { z } from 'zod'
import { describeObjective } from '../describe-objective.js'
import { integers } from '../host-array.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'
import {
  type Classification,
  type options,
  field,
  fit,
  fixture,
  classification,
} from './classification.test.fixture.js'

const suite =
  (change: (sane: Classification) => Partial<Classification>, manifest = {}) =>
  (): void =>
    describeObjective(
      altered<Classification>(classification, (sane) => ({ ...sane, ...change(sane) }), manifest),
      fixture,
    )
const learning = (other: typeof fit) => suite(() => ({}), { fit: other })

const learns = 'fits the same options to the same examples in any order, and keeps fitted options'
const encodes = 'encodes examples within its maximum length, with or without a reference'
const rejects = 'rejects an example without a required field with a code'
const collates = 'collates to arrays with the batch, or its packed rows, as first dimension, padded to one length'
const adds = 'has an additive loss: the parts of a split batch sum to the whole'
const partitions =
  'has the training loss and gradients of the whole batch for any partition, unless it compares examples'
const slope = 'matches the gradient of its loss with respect to the head by finite differences'
const falls = 'has a loss that decreases under gradient descent of the head'
const same = 'initializes the same head from the same key, with names distinct from the model’s'
const predicts = 'returns one prediction per item, the same in any batch, with the declared views'
const config = 'adds JSON-serializable fields to config.json'

/** Identity with a scaled gradient. */
const leaning = (x: Tensor, times: number): Tensor =>
  customGrad((y) => ({ value: mul(y as Tensor, 1), gradFunc: (dy) => mul(dy, times) }))(x)
const sloping = (times: number) => suite(({ head }) => ({ head: (...given) => leaning(head(...given), times) }))

async function inOrderOfAppearance(given: z.output<typeof options>, from: () => AsyncIterable<Example>) {
  if (given.labels !== undefined) return given
  const labels = new Set<string>()
  for await (const example of from()) labels.add(field(example, 'label'))
  return { labels: [...labels] }
}

/** Objective specimens. */
export const objectives: readonly Specimen[] = [
  valid('text classification', () => describeObjective(classification, fixture)),
  broken('orders labels by appearance', [learns], learning(inOrderOfAppearance)),
  broken(
    'fits again what is fitted',
    [learns],
    learning((_, from) => fit({}, from)),
  ),
  broken(
    'exceeds its maximum length',
    [encodes, collates],
    suite(() => ({ maximumLength: 10 })),
  ),
  broken(
    'encodes another text without a label',
    [encodes],
    suite(({ encodeUnlabelled }) => ({
      encodeUnlabelled: (example) =>
        encodeUnlabelled({
          ...example,
          ...('text' in example && example['text'] !== '' ? { text: String(example['text']).slice(1) } : {}),
        }),
    })),
  ),
  broken(
    'requires a label to encode unlabelled examples',
    [encodes],
    suite(({ encode }) => ({ encodeUnlabelled: encode })),
  ),
  broken(
    'accepts examples without a label',
    [rejects],
    suite(({ encode }) => ({ encode: (example) => encode({ label: 'bad', ...example }) })),
  ),
  broken(
    'throws an error without a code',
    [rejects],
    suite(({ encodeUnlabelled }) => ({
      encodeUnlabelled: (example) => encodeUnlabelled({ ...example, text: (example['text'] as string).slice(0) }),
    })),
  ),
  broken(
    'masks nothing',
    [collates],
    suite(({ collate }) => ({
      collate: (items) => {
        const { inputs, labels } = collate(items)
        return {
          labels,
          inputs: {
            ...inputs,
            attentionMask: { ...inputs.attentionMask, values: inputs.attentionMask.values.map(() => 1) },
          },
        }
      },
    })),
  ),
  broken(
    'collates an array of another batch size',
    [collates],
    suite(({ collate }) => ({ collate: (items) => ({ ...collate(items), names: integers([0]) }) })),
  ),
  broken(
    'collates random labels',
    [adds, partitions],
    suite(({ collate }) => ({
      collate: (items) => collate(items.map((item) => ({ ...item, label: Math.floor(3 * Math.random()) }))),
    })),
  ),
  broken(
    'returns means instead of losses',
    [adds, partitions],
    suite(({ loss }) => ({
      loss: (head, batch) => {
        const { losses, weights } = loss(head, batch)
        return { losses: div(losses, sum(weights)), weights }
      },
    })),
  ),
  broken(
    'scales weights with the batch size',
    [adds, partitions],
    suite(({ loss }) => ({
      loss: (head, batch) => {
        const { losses, weights } = loss(head, batch)
        return { losses, weights: mul(weights, losses.shape[0] as number) }
      },
    })),
  ),
  broken(
    'compares the examples of a training batch without a declaration',
    [partitions],
    suite(({ head, loss }) => ({
      trainingLoss({ params, mode, forward }, batch) {
        const outputs = forward(batch.inputs as unknown as TextInputs)
        const { losses, weights } = loss(head(params, outputs, mode, batch), batch)
        return { losses: square(sub(losses, mean(losses))), weights }
      },
    })),
  ),
  broken(
    'takes negatives from the other examples of a training batch without a declaration',
    [partitions],
    suite(({ collate }) => ({
      collate: (items, random) =>
        collate(random === undefined ? items : items.map((item, i) => ({ ...item, label: items.at(i - 1)!.label }))),
    })),
  ),
  broken(
    'declares a comparison of examples that it does not make',
    [partitions],
    suite(() => ({ comparesExamples: true })),
  ),
  broken('has half the gradient', [slope], sloping(0.5)),
  broken('has the negative gradient', [slope, falls], sloping(-1)),
  broken(
    'initializes its head from Math.random',
    [same],
    suite(({ init }) => ({ init: () => init(key(Math.floor(Math.random() * 1e9))) })),
  ),
  broken(
    'names its head under the prefix of the model',
    [same],
    suite(({ init, head }) => ({
      init: (from) => Object.fromEntries(Object.entries(init(from)).map(([name, p]) => [`decoder.${name}`, p])),
      head: (params, ...rest) =>
        head(
          Object.fromEntries(
            Object.entries(params).map(([name, p]) => [name.replace('decoder.classifier', 'classifier'), p]),
          ),
          ...rest,
        ),
    })),
  ),
  broken(
    'returns a prediction too few',
    [predicts],
    suite(({ predict }) => ({ predict: (head, items) => predict(head, items).slice(1) })),
  ),
  broken(
    'predicts by the index in the batch',
    [predicts],
    suite(({ predict }) => ({
      predict: (head, items) => predict(head, items).map((views, i) => ({ ...views, label: i })),
    })),
  ),
  broken(
    'declares a view that it does not return',
    [predicts],
    suite(() => ({ views: ['label', 'scores'] })),
  ),
  broken(
    'returns references without the view',
    [predicts],
    suite(() => ({ reference: () => ({}) })),
  ),
  broken(
    'has a configuration that JSON cannot hold',
    [config],
    suite((sane) => ({ config: { ...sane.config, limit: Infinity } })),
  ),
  broken(
    'omits the architecture',
    [config],
    suite(() => ({ config: {} })),
  ),
  broken('accepts any options', uncheckedFails(5), () =>
    describeObjective(unchecked(classification, { labels: ['bad', 'good', 'neither'] }), fixture),
  ),
]
