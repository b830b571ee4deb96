import { type Example, key } from '@attune/core'
import { type Tensor, customGrad, div, mul, sum } from '@tensorflow/tfjs-core'
import type { z } from 'zod'
import { describeObjective } from '../describe-objective.js'
import { integers } from '../host-array.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'
import { type Telling, type options, field, fit, fixture, telling } from './telling.test.fixture.js'

const suite =
  (change: (sane: Telling) => Partial<Telling>, manifest = {}) =>
  (): void =>
    describeObjective(
      altered<Telling>(telling, (sane) => ({ ...sane, ...change(sane) }), manifest),
      fixture,
    )
const learning = (other: typeof fit) => suite(() => ({}), { fit: other })

const learns = 'learns the same options from the same examples in any order, and keeps those it has learned'
const encodes = 'encodes examples within its maximum length, and without a reference too'
const refuses = 'refuses with a code an example that lacks a field'
const collates =
  'collates to arrays of which the first dimension is the batch, or its packed rows, padded to one length'
const adds = 'has a loss that adds up: the parts of a split batch make the whole'
const slope = 'has the gradient of its loss by the head, as finite differences find it'
const falls = 'has a loss that falls when the head follows the gradient'
const same = 'makes the same head from the same key, and none of its names is the model’s'
const predicts = 'predicts once for each item, the same in any batch, and offers the views that it states'
const config = 'adds to config.json what JSON can hold'

/** The value as it is, with its gradient times a number. */
const leaning = (x: Tensor, times: number): Tensor =>
  customGrad((y) => ({ value: mul(y as Tensor, 1), gradFunc: (dy) => mul(dy, times) }))(x)
const sloping = (times: number) => suite(({ head }) => ({ head: (...given) => leaning(head(...given), times) }))

async function inOrderOfAppearance(given: z.output<typeof options>, from: () => AsyncIterable<Example>) {
  if (given.labels !== undefined) return given
  const labels = new Set<string>()
  for await (const example of from()) labels.add(field(example, 'label'))
  return { labels: [...labels] }
}

/** Objectives. */
export const objectives: readonly Specimen[] = [
  sound('telling labels apart', () => describeObjective(telling, fixture)),
  broken('labels in the order in which they come', [learns], learning(inOrderOfAppearance)),
  broken(
    'learns again what it has learned',
    [learns],
    learning((_, from) => fit({}, from)),
  ),
  broken(
    'longer texts than it says',
    [encodes, collates],
    suite(() => ({ maximumLength: 10 })),
  ),
  broken(
    'another text where there is no label',
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
    'needs a label where there is none',
    [encodes],
    suite(({ encode }) => ({ encodeUnlabelled: encode })),
  ),
  broken(
    'takes what has no label',
    [refuses],
    suite(({ encode }) => ({ encode: (example) => encode({ label: 'bad', ...example }) })),
  ),
  broken(
    'fails without a code',
    [refuses],
    suite(({ encodeUnlabelled }) => ({
      encodeUnlabelled: (example) => encodeUnlabelled({ ...example, text: (example['text'] as string).slice(0) }),
    })),
  ),
  broken(
    'a mask of nothing',
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
    'labels that are not by example',
    [collates],
    suite(({ collate }) => ({ collate: (items) => ({ ...collate(items), names: integers([0]) }) })),
  ),
  broken(
    'a batch by chance',
    [adds],
    suite(({ collate }) => ({
      collate: (items) => collate(items.map((item) => ({ ...item, label: Math.floor(3 * Math.random()) }))),
    })),
  ),
  broken(
    'a mean for a sum',
    [adds],
    suite(({ loss }) => ({
      loss: (head, batch) => {
        const { losses, weights } = loss(head, batch)
        return { losses: div(losses, sum(weights)), weights }
      },
    })),
  ),
  broken(
    'weights of which a larger batch has more each',
    [adds],
    suite(({ loss }) => ({
      loss: (head, batch) => {
        const { losses, weights } = loss(head, batch)
        return { losses, weights: mul(weights, losses.shape[0] as number) }
      },
    })),
  ),
  broken('half the gradient', [slope], sloping(0.5)),
  broken('a gradient that leads up', [slope, falls], sloping(-1)),
  broken(
    'a head by chance',
    [same],
    suite(({ init }) => ({ init: () => init(key(Math.floor(Math.random() * 1e9))) })),
  ),
  broken(
    'a head under the name of the model',
    [same],
    suite(({ init, head }) => ({
      init: (from) => Object.fromEntries(Object.entries(init(from)).map(([name, p]) => [`writer.${name}`, p])),
      head: (params, ...rest) =>
        head(
          Object.fromEntries(
            Object.entries(params).map(([name, p]) => [name.replace('writer.classifier', 'classifier'), p]),
          ),
          ...rest,
        ),
    })),
  ),
  broken(
    'a prediction too few',
    [predicts],
    suite(({ predict }) => ({ predict: (head, items) => predict(head, items).slice(1) })),
  ),
  broken(
    'predicts by the place in the batch',
    [predicts],
    suite(({ predict }) => ({
      predict: (head, items) => predict(head, items).map((views, i) => ({ ...views, label: i })),
    })),
  ),
  broken(
    'a view that there is not',
    [predicts],
    suite(() => ({ views: ['label', 'scores'] })),
  ),
  broken(
    'a reference without the view',
    [predicts],
    suite(() => ({ reference: () => ({}) })),
  ),
  broken(
    'a configuration that JSON does not hold',
    [config],
    suite((sane) => ({ config: { ...sane.config, most: Infinity } })),
  ),
  broken(
    'no architecture',
    [config],
    suite(() => ({ config: {} })),
  ),
  broken('any options will do', uncheckedFails(5), () =>
    describeObjective(unchecked(telling, { labels: ['bad', 'good', 'neither'] }), fixture),
  ),
]
